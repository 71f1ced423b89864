// Package text holds the verifiers that compare text: exact_answer, contains and regex.
package text
