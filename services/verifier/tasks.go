package verifier

import (
	verifierv1 "github.com/provenir/provenir/gen/provenir/verifier/v1"
	"github.com/provenir/provenir/internal/task"
	"github.com/provenir/provenir/services/verifier/spec"

	"google.golang.org/protobuf/types/known/structpb"
)

// tasksAtOnce is how many instances travel in a frame.
const tasksAtOnce = 256

// SampleTasks makes instances of a pack, in batches.
func (s *Service) SampleTasks(r *verifierv1.SampleTasksRequest, stream verifierv1.VerifierService_SampleTasksServer) error {
	pack, err := task.Lookup(r.GetPack())
	if err != nil {
		return taskProblem(err)
	}
	split, err := task.ParseSplit(r.GetSplit())
	if err != nil {
		return invalid("split", "%w", err)
	}
	setting := task.Setting{Difficulty: int(r.GetDifficulty()), Preset: r.GetPreset()}
	frame := &verifierv1.SampleTasksResponse{PackVersion: pack.Version()}
	for i, err := range task.Stream(pack, r.GetSeed(), split, int(r.GetCount()), setting) {
		if err != nil {
			return taskProblem(err)
		}
		if frame.GetSpec() == nil {
			if frame.Spec, err = specMessage(i.Spec); err != nil {
				return err
			}
		}
		frame.Tasks = append(frame.Tasks, &verifierv1.Task{
			Id: i.ID, Prompt: i.Prompt, Reference: i.Reference, Completion: i.Completion, Difficulty: uint32(i.Difficulty), RowJson: []byte(i.Row),
		})
		if len(frame.GetTasks()) == tasksAtOnce {
			if err := stream.Send(frame); err != nil {
				return err
			}
			frame = &verifierv1.SampleTasksResponse{Spec: frame.GetSpec(), PackVersion: pack.Version()}
		}
	}
	if len(frame.GetTasks()) == 0 {
		return nil
	}
	return stream.Send(frame)
}

// specMessage makes the message of spec text.
func specMessage(text string) (*verifierv1.Spec, error) {
	parsed, err := spec.ParseText(text)
	if err != nil {
		return nil, specProblem(err)
	}
	options, err := structpb.NewStruct(parsed.Options)
	if err != nil {
		return nil, err
	}
	return &verifierv1.Spec{Name: parsed.Name, Options: options}, nil
}
