package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	recordings "recording-service.internal/clients/go"
	recordingsv1 "recording-service.internal/clients/go/recordings/v1"
)

// readers is how many read at the same time in read_ranges_at.
const readers = 4

func read(ctx context.Context, client *recordings.Client, a *arguments) (any, error) {
	count, sum := int64(0), sha256.New()
	result := func() any { return object{"bytes": count, "sha256": hex.EncodeToString(sum.Sum(nil))} }
	reader, err := client.Open(ctx, a.RecordingSid, a.opening()...)
	if err != nil {
		return result(), err
	}
	defer reader.Close()
	pause := a.Pause
	buffer := make([]byte, a.ReadBytes)
	for {
		n, err := reader.Read(buffer)
		count += int64(n)
		sum.Write(buffer[:n])
		if errors.Is(err, io.EOF) {
			return result(), nil
		}
		if err != nil {
			return result(), err
		}
		if pause != nil && float64(count) >= pause[0] {
			time.Sleep(seconds(pause[1]).duration())
			pause = nil
		}
	}
}

func readRanges(ctx context.Context, client *recordings.Client, a *arguments) (any, error) {
	reader, err := client.Open(ctx, a.RecordingSid)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	sums := []string{}
	for _, each := range a.Ranges {
		if _, err := reader.Seek(each[0], io.SeekStart); err != nil {
			return nil, err
		}
		data := make([]byte, each[1]-each[0])
		n, err := io.ReadFull(reader, data)
		if err != nil && !isEnd(err) {
			return nil, err
		}
		sums = append(sums, sumOf(data[:n]))
	}
	return object{"sha256s": sums}, nil
}

func readRangesAt(ctx context.Context, client *recordings.Client, a *arguments) (any, error) {
	reader, err := client.Open(ctx, a.RecordingSid)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	sums, failures := make([]string, len(a.Ranges)), make([]error, readers)
	var group sync.WaitGroup
	for first := range readers {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := first; i < len(a.Ranges); i += readers {
				data := make([]byte, a.Ranges[i][1]-a.Ranges[i][0])
				n, err := reader.ReadAt(data, a.Ranges[i][0])
				if err != nil && !isEnd(err) {
					failures[first] = err
					return
				}
				sums[i] = sumOf(data[:n])
			}
		}()
	}
	group.Wait()
	for _, err := range failures {
		if err != nil {
			return nil, err
		}
	}
	return object{"sha256s": sums}, nil
}

func seekRead(ctx context.Context, client *recordings.Client, a *arguments) (any, error) {
	reader, err := client.Open(ctx, a.RecordingSid)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	counts := []int{}
	for _, each := range a.Seeks {
		if _, err := reader.Seek(each[0], io.SeekStart); err != nil {
			return nil, err
		}
		n, err := io.ReadFull(reader, make([]byte, each[1]))
		if err != nil && !isEnd(err) {
			return nil, err
		}
		counts = append(counts, n)
	}
	return object{"bytes": counts}, nil
}

func closeEarly(ctx context.Context, client *recordings.Client, a *arguments) (any, error) {
	reader, err := client.Open(ctx, a.RecordingSid)
	if err != nil {
		return nil, err
	}
	n, err := io.ReadFull(reader, make([]byte, a.AfterBytes))
	// Closing twice is nothing; what comes after it is the client.
	for range 2 {
		if closing := reader.Close(); err == nil {
			err = closing
		}
	}
	if err != nil {
		return nil, err
	}
	return object{"bytes": n}, nil
}

func useClosedReader(ctx context.Context, client *recordings.Client, a *arguments) (any, error) {
	reader, err := client.Open(ctx, a.RecordingSid)
	if err != nil {
		return nil, err
	}
	if err := reader.Close(); err != nil {
		return nil, err
	}
	n, err := reader.Read(make([]byte, 1))
	if err != nil {
		return nil, err
	}
	return object{"bytes": n}, nil
}

func measureReader(ctx context.Context, client *recordings.Client, a *arguments) (any, error) {
	begin := time.Now()
	reader, err := client.Open(ctx, a.RecordingSid)
	if err != nil {
		return nil, err
	}
	defer reader.Close()
	count, err := io.Copy(io.Discard, reader)
	if err != nil {
		return nil, err
	}
	return object{"bytes": count, "seconds": time.Since(begin).Seconds()}, nil
}

// measureStub is the yardstick: the generated stub on a channel as gRPC makes it; with the SHA-256 if it is to be checked.
func measureStub(ctx context.Context, o clientOptions, a *arguments) (any, error) {
	connection, err := grpc.NewClient(o.Target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	defer connection.Close()
	if o.Token != nil {
		ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+*o.Token)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	begin := time.Now()
	stream, err := recordingsv1.NewRecordingServiceClient(connection).StreamRecording(
		ctx, &recordingsv1.StreamRecordingRequest{RecordingSid: a.RecordingSid},
	)
	if err != nil {
		return nil, err
	}
	count := 0
	var whole hash.Hash
	if a.With == "checked_stub" {
		whole = sha256.New()
	}
	for {
		chunk, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return object{"bytes": count, "seconds": time.Since(begin).Seconds()}, nil
		}
		if err != nil {
			return nil, err
		}
		count += len(chunk.GetData())
		if whole != nil {
			whole.Write(chunk.GetData())
		}
	}
}

// isEnd tells whether fewer bytes came because the recording ends.
func isEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

func sumOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
