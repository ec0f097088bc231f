package main

import (
	"context"
	"math"
	"net/url"
	"strings"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"

	recordings "recording-service.internal/clients/go"
	recordingsv1 "recording-service.internal/clients/go/recordings/v1"
)

type operation func(context.Context, *recordings.Client, *arguments) (any, error)

type object = map[string]any

var operations = map[string]operation{
	"enqueue":             enqueue,
	"batch_enqueue":       batchEnqueue,
	"report_unavailable":  reportUnavailable,
	"get":                 get,
	"list":                list,
	"watch":               watch,
	"wait_until_ready":    waitUntilReady,
	"abandon_watch":       abandonWatch,
	"create_playback_url": createPlaybackURL,
	"delete":              deleteRecording,
	"use_closed_client":   useClosedClient,
	"read":                read,
	"read_ranges":         readRanges,
	"read_ranges_at":      readRangesAt,
	"seek_read":           seekRead,
	"close_early":         closeEarly,
	"use_closed_reader":   useClosedReader,
	"measure":             measureReader,
}

func enqueue(ctx context.Context, client *recordings.Client, a *arguments) (any, error) {
	asked := &recordingsv1.EnqueueRecordingRequest{
		RecordingSid: a.RecordingSid, AccountSid: a.AccountSid, Labels: a.Labels,
	}
	if a.Job != "" {
		asked.Job = recordingsv1.RecordingJob(recordingsv1.RecordingJob_value["RECORDING_JOB_"+a.Job])
	}
	given, err := client.Enqueue(ctx, asked)
	if err != nil {
		return nil, err
	}
	return object{"reason": reasonOf(given.GetReason())}, nil
}

func batchEnqueue(ctx context.Context, client *recordings.Client, a *arguments) (any, error) {
	var asked []*recordingsv1.EnqueueRecordingRequest
	for _, sid := range a.RecordingSids {
		asked = append(asked, &recordingsv1.EnqueueRecordingRequest{RecordingSid: sid, AccountSid: a.AccountSid})
	}
	given, err := client.BatchEnqueue(ctx, asked)
	if err != nil {
		return nil, err
	}
	results := []object{}
	for _, each := range given {
		results = append(results, object{
			"reason":       reasonOf(each.GetReason()),
			"error_reason": each.GetError().GetReason(),
			"field":        each.GetError().GetField(),
		})
	}
	return object{"results": results}, nil
}

func reportUnavailable(ctx context.Context, client *recordings.Client, a *arguments) (any, error) {
	reason := recordingsv1.UnavailableReason_value["UNAVAILABLE_REASON_"+a.Reason]
	recording, err := client.ReportUnavailable(ctx, &recordingsv1.ReportRecordingUnavailableRequest{
		RecordingSid: a.RecordingSid, AccountSid: a.AccountSid, Reason: recordingsv1.UnavailableReason(reason),
	})
	return stateOf(recording, err)
}

func get(ctx context.Context, client *recordings.Client, a *arguments) (any, error) {
	return stateAndSize(client.Get(ctx, &recordingsv1.GetRecordingRequest{
		RecordingSid: a.RecordingSid, AccountSid: a.AccountSid,
	}))
}

func list(ctx context.Context, client *recordings.Client, a *arguments) (any, error) {
	sids := []string{}
	asked := &recordingsv1.ListRecordingsRequest{PageSize: a.PageSize}
	if a.CallSid != "" {
		asked.CallSids = []string{a.CallSid}
	}
	for each, err := range client.List(ctx, asked) {
		if err != nil {
			return nil, err
		}
		sids = append(sids, each.GetRecordingSid())
	}
	return object{"recording_sids": sids}, nil
}

func watch(ctx context.Context, client *recordings.Client, a *arguments) (any, error) {
	ctx, cancel := a.within(ctx)
	defer cancel()
	states := []string{}
	asked := &recordingsv1.WatchRecordingRequest{RecordingSid: a.RecordingSid, AccountSid: a.AccountSid}
	for look, err := range client.Watch(ctx, asked) {
		if err != nil {
			return nil, err
		}
		if state := nameOf(look); len(states) == 0 || states[len(states)-1] != state {
			states = append(states, state)
		}
	}
	return object{"states": states}, nil
}

func waitUntilReady(ctx context.Context, client *recordings.Client, a *arguments) (any, error) {
	ctx, cancel := a.within(ctx)
	defer cancel()
	return stateAndSize(client.WaitUntilReady(ctx, a.RecordingSid, recordings.InAccount(a.AccountSid)))
}

func abandonWatch(ctx context.Context, client *recordings.Client, a *arguments) (any, error) {
	for look, err := range client.Watch(ctx, &recordingsv1.WatchRecordingRequest{RecordingSid: a.RecordingSid}) {
		// Leaving the loop cancels the watch.
		return stateOf(look, err)
	}
	return object{"state": ""}, nil
}

func createPlaybackURL(ctx context.Context, client *recordings.Client, a *arguments) (any, error) {
	asked := &recordingsv1.CreatePlaybackUrlRequest{RecordingSid: a.RecordingSid, AccountSid: a.AccountSid}
	if a.TTL != nil {
		asked.Ttl = durationpb.New(a.TTL.duration())
	}
	if a.Attachment {
		asked.Disposition = recordingsv1.PlaybackDisposition_PLAYBACK_DISPOSITION_ATTACHMENT
	}
	made, err := client.CreatePlaybackURL(ctx, asked)
	if err != nil {
		return nil, err
	}
	address, err := url.Parse(made.GetUrl())
	if err != nil {
		return nil, err
	}
	left := time.Until(made.GetExpireTime().AsTime()).Seconds()
	return object{"path": address.Path, "seconds": int(math.Round(left/10) * 10)}, nil
}

func deleteRecording(ctx context.Context, client *recordings.Client, a *arguments) (any, error) {
	recording, err := client.Delete(ctx, &recordingsv1.DeleteRecordingRequest{
		RecordingSid: a.RecordingSid, AccountSid: a.AccountSid, AllowMissing: a.AllowMissing,
	})
	if err == nil && recording == nil {
		return object{"state": ""}, nil
	}
	return stateOf(recording, err)
}

func useClosedClient(ctx context.Context, client *recordings.Client, a *arguments) (any, error) {
	if err := client.Close(); err != nil {
		return nil, err
	}
	return get(ctx, client, a)
}

// within gives a context with the deadline that was asked for, if one was.
func (a *arguments) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if a.Timeout == nil {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, a.Timeout.duration())
}

func reasonOf(reason recordingsv1.EnqueueReason) string {
	return strings.TrimPrefix(reason.String(), "ENQUEUE_REASON_")
}

func nameOf(recording *recordingsv1.Recording) string {
	return strings.TrimPrefix(recording.GetState().String(), "RECORDING_STATE_")
}

func stateOf(recording *recordingsv1.Recording, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return object{"state": nameOf(recording)}, nil
}

func stateAndSize(recording *recordingsv1.Recording, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return object{"state": nameOf(recording), "size_bytes": recording.GetSizeBytes()}, nil
}
