// Command conformance is the Go runner of the suite that all clients pass (clients/conformance/README.md): a JSON request
// a line in, an answer a line out, until the end of its input.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	recordings "recording-service.internal/clients/go"
)

type request struct {
	ID        json.RawMessage `json:"id"`
	Operation string          `json:"operation"`
	Options   clientOptions   `json:"options"`
	Arguments json.RawMessage `json:"arguments"`
}

type answer struct {
	ID     json.RawMessage `json:"id"`
	Result any             `json:"result,omitempty"`
	Error  *errorAnswer    `json:"error,omitempty"`
}

func main() {
	if err := serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(in io.Reader, out io.Writer) error {
	// Not a Scanner: a line may be of any length.
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) > 0 {
			asked := request{Arguments: json.RawMessage("{}")}
			if err := json.Unmarshal(line, &asked); err != nil {
				return fmt.Errorf("a request that is none: %w", err)
			}
			if err := json.NewEncoder(out).Encode(answerTo(asked)); err != nil {
				return err
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func answerTo(asked request) answer {
	result, err := do(context.Background(), asked)
	given := answer{ID: asked.ID, Result: result}
	if err != nil {
		given.Error = describe(err)
	}
	return given
}

// do gives a result, an error, or both. A result of nil is none.
func do(ctx context.Context, asked request) (any, error) {
	operation, known := operations[asked.Operation]
	if !known {
		return nil, fmt.Errorf("there is no operation %q", asked.Operation)
	}
	arguments := newArguments()
	if err := json.Unmarshal(asked.Arguments, arguments); err != nil {
		return nil, fmt.Errorf("the arguments: %w", err)
	}
	if asked.Operation == "measure" && arguments.With != "" && arguments.With != "reader" {
		return measureStub(ctx, asked.Options, arguments)
	}
	client, err := recordings.New(asked.Options.Target, asked.Options.chosen()...)
	if err != nil {
		return nil, err
	}
	result, err := operation(ctx, client, arguments)
	if closing := client.Close(); err == nil {
		err = closing
	}
	return result, err
}
