// Package contrast asks whether a reward teaches its task: it makes the runs that train on the reward and on controls that know
// nothing of the task, and says from their held-out gains whether the reward is ahead of all of them. It is pure; the service
// creates the runs and waits for them. Rewards without any information raised benchmark scores of some models as much as right ones
// did (Shao et al. 2025, arXiv 2506.10947), so a rising curve alone proves nothing.
package contrast
