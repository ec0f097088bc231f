package recordings_test

import (
	"context"

	recordingsv1 "recording-service.internal/clients/go/recordings/v1"
)

// answered gives what the test answers with.
func answered[Answer any](ctx context.Context, s *service, request any) (*Answer, error) {
	answer, err := s.unary(ctx, request)
	if err != nil {
		return nil, err
	}
	return answer.(*Answer), nil
}

func (s *service) EnqueueRecording(
	ctx context.Context, request *recordingsv1.EnqueueRecordingRequest,
) (*recordingsv1.EnqueueRecordingResponse, error) {
	return answered[recordingsv1.EnqueueRecordingResponse](ctx, s, request)
}

func (s *service) BatchEnqueueRecordings(
	ctx context.Context, request *recordingsv1.BatchEnqueueRecordingsRequest,
) (*recordingsv1.BatchEnqueueRecordingsResponse, error) {
	return answered[recordingsv1.BatchEnqueueRecordingsResponse](ctx, s, request)
}

func (s *service) ReportRecordingUnavailable(
	ctx context.Context, request *recordingsv1.ReportRecordingUnavailableRequest,
) (*recordingsv1.ReportRecordingUnavailableResponse, error) {
	return answered[recordingsv1.ReportRecordingUnavailableResponse](ctx, s, request)
}

func (s *service) GetRecording(
	ctx context.Context, request *recordingsv1.GetRecordingRequest,
) (*recordingsv1.GetRecordingResponse, error) {
	return answered[recordingsv1.GetRecordingResponse](ctx, s, request)
}

func (s *service) ListRecordings(
	ctx context.Context, request *recordingsv1.ListRecordingsRequest,
) (*recordingsv1.ListRecordingsResponse, error) {
	return answered[recordingsv1.ListRecordingsResponse](ctx, s, request)
}

func (s *service) CreatePlaybackUrl(
	ctx context.Context, request *recordingsv1.CreatePlaybackUrlRequest,
) (*recordingsv1.CreatePlaybackUrlResponse, error) {
	return answered[recordingsv1.CreatePlaybackUrlResponse](ctx, s, request)
}

func (s *service) DeleteRecording(
	ctx context.Context, request *recordingsv1.DeleteRecordingRequest,
) (*recordingsv1.DeleteRecordingResponse, error) {
	return answered[recordingsv1.DeleteRecordingResponse](ctx, s, request)
}
