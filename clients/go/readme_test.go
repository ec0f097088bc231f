package recordings_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	recordingsv1 "recording-service.internal/clients/go/recordings/v1"
)

// surroundings are what the README's examples stand in, in their order: each becomes the body of a function.
var surroundings = []string{
	"func first(ctx context.Context, target, token, recordingSid string, file io.Writer) error {",
	"func watching(ctx context.Context, client *recordings.Client, recordingSid string) error {",
	"func serving(client *recordings.Client, recordingSid string, response http.ResponseWriter, request *http.Request) {",
	"func waiting(ctx context.Context, client *recordings.Client, recordingSid string) error {",
}

// program runs the examples one after the other, and shows what they have done.
const program = `package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	recordings "recording-service.internal/clients/go"
	recordingsv1 "recording-service.internal/clients/go/recordings/v1"
)

func main() {
	ctx, target, sid := context.Background(), os.Args[1], os.Args[2]
	var file bytes.Buffer
	check(first(ctx, target, "token", sid, &file))
	fmt.Println("copied", file.Len())
	client, err := recordings.New(target)
	check(err)
	defer client.Close()
	check(watching(ctx, client, sid))
	request := httptest.NewRequest(http.MethodGet, "/", nil)
	request.Header.Set("Range", "bytes=1-10")
	response := httptest.NewRecorder()
	serving(client, sid, response, request)
	fmt.Println(response.Code, response.Header().Get("Content-Range"), response.Body.Len())
	for range 3 {
		check(waiting(ctx, client, sid))
	}
}

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
`

func TestTheExamplesOfTheReadmeRunWordForWord(t *testing.T) {
	s := newService(t, chunkSize)
	s.recording.ContentType = "audio/mpeg"
	s.unary = answering(&recordingsv1.EnqueueRecordingResponse{Reason: 1})
	s.watches = []func(lookStream) error{
		showing(nil, queued, ready), showing(nil, queued, downloading, ready), showing(nil, ready), showing(nil, failed),
		showing(nil, ready),
	}
	output := runExamples(t, s.target)
	const expected = `copied 65536
RECORDING_STATE_QUEUED
RECORDING_STATE_DOWNLOADING
RECORDING_STATE_READY
206 bytes 1-10/65536 10
0 bytes
will not come: UNSPECIFIED
0 bytes
`
	expectEqual(t, "output", output, expected)
}

// runExamples runs the program with the examples in it, and gives what it prints.
func runExamples(t *testing.T, target string) string {
	t.Helper()
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(readme), -1)
	if len(blocks) != len(surroundings) {
		t.Fatalf("%d examples for %d functions", len(blocks), len(surroundings))
	}
	var source strings.Builder
	source.WriteString(program)
	for i, block := range blocks {
		source.WriteString("\n" + surroundings[i] + "\n" + block[1])
		if strings.HasSuffix(surroundings[i], "error {") && !strings.HasSuffix(block[1], "return err\n") {
			source.WriteString("return nil\n")
		}
		source.WriteString("}\n")
	}
	binary := build(t, source.String())
	command := exec.CommandContext(shortly(t), binary, target, sid)
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return string(output)
}

// build builds a program as if it were a package of this module: an overlay, so that no file appears in it.
func build(t *testing.T, source string) string {
	t.Helper()
	folder := t.TempDir()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(folder, name) }
	file, overlay, binary := in("main.go"), in("overlay.json"), in("examples")
	replaced, err := json.Marshal(map[string]map[string]string{
		"Replace": {filepath.Join(here, "examples", "main.go"): file},
	})
	if err != nil {
		t.Fatal(err)
	}
	for path, content := range map[string][]byte{file: []byte(source), overlay: replaced} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command := exec.Command("go", "build", "-overlay", overlay, "-o", binary, "./examples")
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("the examples can't be built: %s", output)
	}
	return binary
}
