package recordings.v1;

import static io.grpc.MethodDescriptor.generateFullMethodName;

/**
 * <pre>
 * Takes call recordings off Twilio and makes them playable for ever after.
 * Every status that is not OK carries a `google.rpc.ErrorInfo` with the domain "recording-service" and a stable reason.
 * Branch on the code and that reason, never on the text.
 * </pre>
 */
@io.grpc.stub.annotations.GrpcGenerated
public final class RecordingServiceGrpc {

  private RecordingServiceGrpc() {}

  public static final java.lang.String SERVICE_NAME = "recordings.v1.RecordingService";

  // Static method descriptors that strictly reflect the proto.
  private static volatile io.grpc.MethodDescriptor<recordings.v1.EnqueueRecordingRequest,
      recordings.v1.EnqueueRecordingResponse> getEnqueueRecordingMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "EnqueueRecording",
      requestType = recordings.v1.EnqueueRecordingRequest.class,
      responseType = recordings.v1.EnqueueRecordingResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<recordings.v1.EnqueueRecordingRequest,
      recordings.v1.EnqueueRecordingResponse> getEnqueueRecordingMethod() {
    io.grpc.MethodDescriptor<recordings.v1.EnqueueRecordingRequest, recordings.v1.EnqueueRecordingResponse> getEnqueueRecordingMethod;
    if ((getEnqueueRecordingMethod = RecordingServiceGrpc.getEnqueueRecordingMethod) == null) {
      synchronized (RecordingServiceGrpc.class) {
        if ((getEnqueueRecordingMethod = RecordingServiceGrpc.getEnqueueRecordingMethod) == null) {
          RecordingServiceGrpc.getEnqueueRecordingMethod = getEnqueueRecordingMethod =
              io.grpc.MethodDescriptor.<recordings.v1.EnqueueRecordingRequest, recordings.v1.EnqueueRecordingResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "EnqueueRecording"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  recordings.v1.EnqueueRecordingRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  recordings.v1.EnqueueRecordingResponse.getDefaultInstance()))
              .setSchemaDescriptor(new RecordingServiceMethodDescriptorSupplier("EnqueueRecording"))
              .build();
        }
      }
    }
    return getEnqueueRecordingMethod;
  }

  private static volatile io.grpc.MethodDescriptor<recordings.v1.BatchEnqueueRecordingsRequest,
      recordings.v1.BatchEnqueueRecordingsResponse> getBatchEnqueueRecordingsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "BatchEnqueueRecordings",
      requestType = recordings.v1.BatchEnqueueRecordingsRequest.class,
      responseType = recordings.v1.BatchEnqueueRecordingsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<recordings.v1.BatchEnqueueRecordingsRequest,
      recordings.v1.BatchEnqueueRecordingsResponse> getBatchEnqueueRecordingsMethod() {
    io.grpc.MethodDescriptor<recordings.v1.BatchEnqueueRecordingsRequest, recordings.v1.BatchEnqueueRecordingsResponse> getBatchEnqueueRecordingsMethod;
    if ((getBatchEnqueueRecordingsMethod = RecordingServiceGrpc.getBatchEnqueueRecordingsMethod) == null) {
      synchronized (RecordingServiceGrpc.class) {
        if ((getBatchEnqueueRecordingsMethod = RecordingServiceGrpc.getBatchEnqueueRecordingsMethod) == null) {
          RecordingServiceGrpc.getBatchEnqueueRecordingsMethod = getBatchEnqueueRecordingsMethod =
              io.grpc.MethodDescriptor.<recordings.v1.BatchEnqueueRecordingsRequest, recordings.v1.BatchEnqueueRecordingsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "BatchEnqueueRecordings"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  recordings.v1.BatchEnqueueRecordingsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  recordings.v1.BatchEnqueueRecordingsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new RecordingServiceMethodDescriptorSupplier("BatchEnqueueRecordings"))
              .build();
        }
      }
    }
    return getBatchEnqueueRecordingsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<recordings.v1.ReportRecordingUnavailableRequest,
      recordings.v1.ReportRecordingUnavailableResponse> getReportRecordingUnavailableMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ReportRecordingUnavailable",
      requestType = recordings.v1.ReportRecordingUnavailableRequest.class,
      responseType = recordings.v1.ReportRecordingUnavailableResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<recordings.v1.ReportRecordingUnavailableRequest,
      recordings.v1.ReportRecordingUnavailableResponse> getReportRecordingUnavailableMethod() {
    io.grpc.MethodDescriptor<recordings.v1.ReportRecordingUnavailableRequest, recordings.v1.ReportRecordingUnavailableResponse> getReportRecordingUnavailableMethod;
    if ((getReportRecordingUnavailableMethod = RecordingServiceGrpc.getReportRecordingUnavailableMethod) == null) {
      synchronized (RecordingServiceGrpc.class) {
        if ((getReportRecordingUnavailableMethod = RecordingServiceGrpc.getReportRecordingUnavailableMethod) == null) {
          RecordingServiceGrpc.getReportRecordingUnavailableMethod = getReportRecordingUnavailableMethod =
              io.grpc.MethodDescriptor.<recordings.v1.ReportRecordingUnavailableRequest, recordings.v1.ReportRecordingUnavailableResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ReportRecordingUnavailable"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  recordings.v1.ReportRecordingUnavailableRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  recordings.v1.ReportRecordingUnavailableResponse.getDefaultInstance()))
              .setSchemaDescriptor(new RecordingServiceMethodDescriptorSupplier("ReportRecordingUnavailable"))
              .build();
        }
      }
    }
    return getReportRecordingUnavailableMethod;
  }

  private static volatile io.grpc.MethodDescriptor<recordings.v1.GetRecordingRequest,
      recordings.v1.GetRecordingResponse> getGetRecordingMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetRecording",
      requestType = recordings.v1.GetRecordingRequest.class,
      responseType = recordings.v1.GetRecordingResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<recordings.v1.GetRecordingRequest,
      recordings.v1.GetRecordingResponse> getGetRecordingMethod() {
    io.grpc.MethodDescriptor<recordings.v1.GetRecordingRequest, recordings.v1.GetRecordingResponse> getGetRecordingMethod;
    if ((getGetRecordingMethod = RecordingServiceGrpc.getGetRecordingMethod) == null) {
      synchronized (RecordingServiceGrpc.class) {
        if ((getGetRecordingMethod = RecordingServiceGrpc.getGetRecordingMethod) == null) {
          RecordingServiceGrpc.getGetRecordingMethod = getGetRecordingMethod =
              io.grpc.MethodDescriptor.<recordings.v1.GetRecordingRequest, recordings.v1.GetRecordingResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetRecording"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  recordings.v1.GetRecordingRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  recordings.v1.GetRecordingResponse.getDefaultInstance()))
              .setSchemaDescriptor(new RecordingServiceMethodDescriptorSupplier("GetRecording"))
              .build();
        }
      }
    }
    return getGetRecordingMethod;
  }

  private static volatile io.grpc.MethodDescriptor<recordings.v1.ListRecordingsRequest,
      recordings.v1.ListRecordingsResponse> getListRecordingsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "ListRecordings",
      requestType = recordings.v1.ListRecordingsRequest.class,
      responseType = recordings.v1.ListRecordingsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<recordings.v1.ListRecordingsRequest,
      recordings.v1.ListRecordingsResponse> getListRecordingsMethod() {
    io.grpc.MethodDescriptor<recordings.v1.ListRecordingsRequest, recordings.v1.ListRecordingsResponse> getListRecordingsMethod;
    if ((getListRecordingsMethod = RecordingServiceGrpc.getListRecordingsMethod) == null) {
      synchronized (RecordingServiceGrpc.class) {
        if ((getListRecordingsMethod = RecordingServiceGrpc.getListRecordingsMethod) == null) {
          RecordingServiceGrpc.getListRecordingsMethod = getListRecordingsMethod =
              io.grpc.MethodDescriptor.<recordings.v1.ListRecordingsRequest, recordings.v1.ListRecordingsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "ListRecordings"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  recordings.v1.ListRecordingsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  recordings.v1.ListRecordingsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new RecordingServiceMethodDescriptorSupplier("ListRecordings"))
              .build();
        }
      }
    }
    return getListRecordingsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<recordings.v1.WatchRecordingRequest,
      recordings.v1.WatchRecordingResponse> getWatchRecordingMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "WatchRecording",
      requestType = recordings.v1.WatchRecordingRequest.class,
      responseType = recordings.v1.WatchRecordingResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<recordings.v1.WatchRecordingRequest,
      recordings.v1.WatchRecordingResponse> getWatchRecordingMethod() {
    io.grpc.MethodDescriptor<recordings.v1.WatchRecordingRequest, recordings.v1.WatchRecordingResponse> getWatchRecordingMethod;
    if ((getWatchRecordingMethod = RecordingServiceGrpc.getWatchRecordingMethod) == null) {
      synchronized (RecordingServiceGrpc.class) {
        if ((getWatchRecordingMethod = RecordingServiceGrpc.getWatchRecordingMethod) == null) {
          RecordingServiceGrpc.getWatchRecordingMethod = getWatchRecordingMethod =
              io.grpc.MethodDescriptor.<recordings.v1.WatchRecordingRequest, recordings.v1.WatchRecordingResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "WatchRecording"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  recordings.v1.WatchRecordingRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  recordings.v1.WatchRecordingResponse.getDefaultInstance()))
              .setSchemaDescriptor(new RecordingServiceMethodDescriptorSupplier("WatchRecording"))
              .build();
        }
      }
    }
    return getWatchRecordingMethod;
  }

  private static volatile io.grpc.MethodDescriptor<recordings.v1.WatchRecordingsRequest,
      recordings.v1.WatchRecordingsResponse> getWatchRecordingsMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "WatchRecordings",
      requestType = recordings.v1.WatchRecordingsRequest.class,
      responseType = recordings.v1.WatchRecordingsResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<recordings.v1.WatchRecordingsRequest,
      recordings.v1.WatchRecordingsResponse> getWatchRecordingsMethod() {
    io.grpc.MethodDescriptor<recordings.v1.WatchRecordingsRequest, recordings.v1.WatchRecordingsResponse> getWatchRecordingsMethod;
    if ((getWatchRecordingsMethod = RecordingServiceGrpc.getWatchRecordingsMethod) == null) {
      synchronized (RecordingServiceGrpc.class) {
        if ((getWatchRecordingsMethod = RecordingServiceGrpc.getWatchRecordingsMethod) == null) {
          RecordingServiceGrpc.getWatchRecordingsMethod = getWatchRecordingsMethod =
              io.grpc.MethodDescriptor.<recordings.v1.WatchRecordingsRequest, recordings.v1.WatchRecordingsResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "WatchRecordings"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  recordings.v1.WatchRecordingsRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  recordings.v1.WatchRecordingsResponse.getDefaultInstance()))
              .setSchemaDescriptor(new RecordingServiceMethodDescriptorSupplier("WatchRecordings"))
              .build();
        }
      }
    }
    return getWatchRecordingsMethod;
  }

  private static volatile io.grpc.MethodDescriptor<recordings.v1.StreamRecordingRequest,
      recordings.v1.StreamRecordingResponse> getStreamRecordingMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "StreamRecording",
      requestType = recordings.v1.StreamRecordingRequest.class,
      responseType = recordings.v1.StreamRecordingResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
  public static io.grpc.MethodDescriptor<recordings.v1.StreamRecordingRequest,
      recordings.v1.StreamRecordingResponse> getStreamRecordingMethod() {
    io.grpc.MethodDescriptor<recordings.v1.StreamRecordingRequest, recordings.v1.StreamRecordingResponse> getStreamRecordingMethod;
    if ((getStreamRecordingMethod = RecordingServiceGrpc.getStreamRecordingMethod) == null) {
      synchronized (RecordingServiceGrpc.class) {
        if ((getStreamRecordingMethod = RecordingServiceGrpc.getStreamRecordingMethod) == null) {
          RecordingServiceGrpc.getStreamRecordingMethod = getStreamRecordingMethod =
              io.grpc.MethodDescriptor.<recordings.v1.StreamRecordingRequest, recordings.v1.StreamRecordingResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.SERVER_STREAMING)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "StreamRecording"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  recordings.v1.StreamRecordingRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  recordings.v1.StreamRecordingResponse.getDefaultInstance()))
              .setSchemaDescriptor(new RecordingServiceMethodDescriptorSupplier("StreamRecording"))
              .build();
        }
      }
    }
    return getStreamRecordingMethod;
  }

  private static volatile io.grpc.MethodDescriptor<recordings.v1.GetWaveformRequest,
      recordings.v1.GetWaveformResponse> getGetWaveformMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetWaveform",
      requestType = recordings.v1.GetWaveformRequest.class,
      responseType = recordings.v1.GetWaveformResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<recordings.v1.GetWaveformRequest,
      recordings.v1.GetWaveformResponse> getGetWaveformMethod() {
    io.grpc.MethodDescriptor<recordings.v1.GetWaveformRequest, recordings.v1.GetWaveformResponse> getGetWaveformMethod;
    if ((getGetWaveformMethod = RecordingServiceGrpc.getGetWaveformMethod) == null) {
      synchronized (RecordingServiceGrpc.class) {
        if ((getGetWaveformMethod = RecordingServiceGrpc.getGetWaveformMethod) == null) {
          RecordingServiceGrpc.getGetWaveformMethod = getGetWaveformMethod =
              io.grpc.MethodDescriptor.<recordings.v1.GetWaveformRequest, recordings.v1.GetWaveformResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetWaveform"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  recordings.v1.GetWaveformRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  recordings.v1.GetWaveformResponse.getDefaultInstance()))
              .setSchemaDescriptor(new RecordingServiceMethodDescriptorSupplier("GetWaveform"))
              .build();
        }
      }
    }
    return getGetWaveformMethod;
  }

  private static volatile io.grpc.MethodDescriptor<recordings.v1.GetTranscriptRequest,
      recordings.v1.GetTranscriptResponse> getGetTranscriptMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "GetTranscript",
      requestType = recordings.v1.GetTranscriptRequest.class,
      responseType = recordings.v1.GetTranscriptResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<recordings.v1.GetTranscriptRequest,
      recordings.v1.GetTranscriptResponse> getGetTranscriptMethod() {
    io.grpc.MethodDescriptor<recordings.v1.GetTranscriptRequest, recordings.v1.GetTranscriptResponse> getGetTranscriptMethod;
    if ((getGetTranscriptMethod = RecordingServiceGrpc.getGetTranscriptMethod) == null) {
      synchronized (RecordingServiceGrpc.class) {
        if ((getGetTranscriptMethod = RecordingServiceGrpc.getGetTranscriptMethod) == null) {
          RecordingServiceGrpc.getGetTranscriptMethod = getGetTranscriptMethod =
              io.grpc.MethodDescriptor.<recordings.v1.GetTranscriptRequest, recordings.v1.GetTranscriptResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "GetTranscript"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  recordings.v1.GetTranscriptRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  recordings.v1.GetTranscriptResponse.getDefaultInstance()))
              .setSchemaDescriptor(new RecordingServiceMethodDescriptorSupplier("GetTranscript"))
              .build();
        }
      }
    }
    return getGetTranscriptMethod;
  }

  private static volatile io.grpc.MethodDescriptor<recordings.v1.CreatePlaybackUrlRequest,
      recordings.v1.CreatePlaybackUrlResponse> getCreatePlaybackUrlMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "CreatePlaybackUrl",
      requestType = recordings.v1.CreatePlaybackUrlRequest.class,
      responseType = recordings.v1.CreatePlaybackUrlResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<recordings.v1.CreatePlaybackUrlRequest,
      recordings.v1.CreatePlaybackUrlResponse> getCreatePlaybackUrlMethod() {
    io.grpc.MethodDescriptor<recordings.v1.CreatePlaybackUrlRequest, recordings.v1.CreatePlaybackUrlResponse> getCreatePlaybackUrlMethod;
    if ((getCreatePlaybackUrlMethod = RecordingServiceGrpc.getCreatePlaybackUrlMethod) == null) {
      synchronized (RecordingServiceGrpc.class) {
        if ((getCreatePlaybackUrlMethod = RecordingServiceGrpc.getCreatePlaybackUrlMethod) == null) {
          RecordingServiceGrpc.getCreatePlaybackUrlMethod = getCreatePlaybackUrlMethod =
              io.grpc.MethodDescriptor.<recordings.v1.CreatePlaybackUrlRequest, recordings.v1.CreatePlaybackUrlResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "CreatePlaybackUrl"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  recordings.v1.CreatePlaybackUrlRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  recordings.v1.CreatePlaybackUrlResponse.getDefaultInstance()))
              .setSchemaDescriptor(new RecordingServiceMethodDescriptorSupplier("CreatePlaybackUrl"))
              .build();
        }
      }
    }
    return getCreatePlaybackUrlMethod;
  }

  private static volatile io.grpc.MethodDescriptor<recordings.v1.DeleteRecordingRequest,
      recordings.v1.DeleteRecordingResponse> getDeleteRecordingMethod;

  @io.grpc.stub.annotations.RpcMethod(
      fullMethodName = SERVICE_NAME + '/' + "DeleteRecording",
      requestType = recordings.v1.DeleteRecordingRequest.class,
      responseType = recordings.v1.DeleteRecordingResponse.class,
      methodType = io.grpc.MethodDescriptor.MethodType.UNARY)
  public static io.grpc.MethodDescriptor<recordings.v1.DeleteRecordingRequest,
      recordings.v1.DeleteRecordingResponse> getDeleteRecordingMethod() {
    io.grpc.MethodDescriptor<recordings.v1.DeleteRecordingRequest, recordings.v1.DeleteRecordingResponse> getDeleteRecordingMethod;
    if ((getDeleteRecordingMethod = RecordingServiceGrpc.getDeleteRecordingMethod) == null) {
      synchronized (RecordingServiceGrpc.class) {
        if ((getDeleteRecordingMethod = RecordingServiceGrpc.getDeleteRecordingMethod) == null) {
          RecordingServiceGrpc.getDeleteRecordingMethod = getDeleteRecordingMethod =
              io.grpc.MethodDescriptor.<recordings.v1.DeleteRecordingRequest, recordings.v1.DeleteRecordingResponse>newBuilder()
              .setType(io.grpc.MethodDescriptor.MethodType.UNARY)
              .setFullMethodName(generateFullMethodName(SERVICE_NAME, "DeleteRecording"))
              .setSampledToLocalTracing(true)
              .setRequestMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  recordings.v1.DeleteRecordingRequest.getDefaultInstance()))
              .setResponseMarshaller(io.grpc.protobuf.ProtoUtils.marshaller(
                  recordings.v1.DeleteRecordingResponse.getDefaultInstance()))
              .setSchemaDescriptor(new RecordingServiceMethodDescriptorSupplier("DeleteRecording"))
              .build();
        }
      }
    }
    return getDeleteRecordingMethod;
  }

  /**
   * Creates a new async stub that supports all call types for the service
   */
  public static RecordingServiceStub newStub(io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<RecordingServiceStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<RecordingServiceStub>() {
        @java.lang.Override
        public RecordingServiceStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new RecordingServiceStub(channel, callOptions);
        }
      };
    return RecordingServiceStub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports all types of calls on the service
   */
  public static RecordingServiceBlockingV2Stub newBlockingV2Stub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<RecordingServiceBlockingV2Stub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<RecordingServiceBlockingV2Stub>() {
        @java.lang.Override
        public RecordingServiceBlockingV2Stub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new RecordingServiceBlockingV2Stub(channel, callOptions);
        }
      };
    return RecordingServiceBlockingV2Stub.newStub(factory, channel);
  }

  /**
   * Creates a new blocking-style stub that supports unary and streaming output calls on the service
   */
  public static RecordingServiceBlockingStub newBlockingStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<RecordingServiceBlockingStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<RecordingServiceBlockingStub>() {
        @java.lang.Override
        public RecordingServiceBlockingStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new RecordingServiceBlockingStub(channel, callOptions);
        }
      };
    return RecordingServiceBlockingStub.newStub(factory, channel);
  }

  /**
   * Creates a new ListenableFuture-style stub that supports unary calls on the service
   */
  public static RecordingServiceFutureStub newFutureStub(
      io.grpc.Channel channel) {
    io.grpc.stub.AbstractStub.StubFactory<RecordingServiceFutureStub> factory =
      new io.grpc.stub.AbstractStub.StubFactory<RecordingServiceFutureStub>() {
        @java.lang.Override
        public RecordingServiceFutureStub newStub(io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
          return new RecordingServiceFutureStub(channel, callOptions);
        }
      };
    return RecordingServiceFutureStub.newStub(factory, channel);
  }

  /**
   * <pre>
   * Takes call recordings off Twilio and makes them playable for ever after.
   * Every status that is not OK carries a `google.rpc.ErrorInfo` with the domain "recording-service" and a stable reason.
   * Branch on the code and that reason, never on the text.
   * </pre>
   */
  public interface AsyncService {

    /**
     * <pre>
     * Asks for a recording. A failing enqueue is never OK: the status is UNAVAILABLE or INTERNAL, with an
     * EnqueueRecordingResponse of the reason ERROR in its details.
     * </pre>
     */
    default void enqueueRecording(recordings.v1.EnqueueRecordingRequest request,
        io.grpc.stub.StreamObserver<recordings.v1.EnqueueRecordingResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getEnqueueRecordingMethod(), responseObserver);
    }

    /**
     * <pre>
     * Asks for up to 1000 recordings. A malformed item doesn't fail the others.
     * </pre>
     */
    default void batchEnqueueRecordings(recordings.v1.BatchEnqueueRecordingsRequest request,
        io.grpc.stub.StreamObserver<recordings.v1.BatchEnqueueRecordingsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getBatchEnqueueRecordingsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Says that Twilio reported `absent` or `failed`: the recording becomes FAILED unless it is READY.
     * </pre>
     */
    default void reportRecordingUnavailable(recordings.v1.ReportRecordingUnavailableRequest request,
        io.grpc.stub.StreamObserver<recordings.v1.ReportRecordingUnavailableResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getReportRecordingUnavailableMethod(), responseObserver);
    }

    /**
     * <pre>
     * Looks one recording up. NOT_FOUND if it is unknown or deleted.
     * </pre>
     */
    default void getRecording(recordings.v1.GetRecordingRequest request,
        io.grpc.stub.StreamObserver<recordings.v1.GetRecordingResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetRecordingMethod(), responseObserver);
    }

    /**
     * <pre>
     * Lists recordings, newest first.
     * </pre>
     */
    default void listRecordings(recordings.v1.ListRecordingsRequest request,
        io.grpc.stub.StreamObserver<recordings.v1.ListRecordingsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getListRecordingsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Sends the recording as it is, then after each change; ends with OK once it is READY (or as asked), FAILED or DELETED.
     * </pre>
     */
    default void watchRecording(recordings.v1.WatchRecordingRequest request,
        io.grpc.stub.StreamObserver<recordings.v1.WatchRecordingResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getWatchRecordingMethod(), responseObserver);
    }

    /**
     * <pre>
     * Sends the recordings that match a filter, then each change of one; ends only with an error. For lists on a screen.
     * With `after_revision` it sends the feed of events instead, which can be gone on with after any break.
     * </pre>
     */
    default void watchRecordings(recordings.v1.WatchRecordingsRequest request,
        io.grpc.stub.StreamObserver<recordings.v1.WatchRecordingsResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getWatchRecordingsMethod(), responseObserver);
    }

    /**
     * <pre>
     * Sends a range of the recording's bytes. FAILED_PRECONDITION at once if they are not here yet: waiting is WatchRecording.
     * </pre>
     */
    default void streamRecording(recordings.v1.StreamRecordingRequest request,
        io.grpc.stub.StreamObserver<recordings.v1.StreamRecordingResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getStreamRecordingMethod(), responseObserver);
    }

    /**
     * <pre>
     * What is seen of a recording's sound. FAILED_PRECONDITION with the reason STEP_NOT_DONE before it is drawn, and with
     * STEP_WITHOUT_RESULT where it will not be.
     * </pre>
     */
    default void getWaveform(recordings.v1.GetWaveformRequest request,
        io.grpc.stub.StreamObserver<recordings.v1.GetWaveformResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetWaveformMethod(), responseObserver);
    }

    /**
     * <pre>
     * What is said in a recording. Refused as GetWaveform. Of a very long one the words are left out, so that the answer is no
     * larger than clients accept.
     * </pre>
     */
    default void getTranscript(recordings.v1.GetTranscriptRequest request,
        io.grpc.stub.StreamObserver<recordings.v1.GetTranscriptResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getGetTranscriptMethod(), responseObserver);
    }

    /**
     * <pre>
     * Makes a URL by which whoever has it may play the recording over HTTP until it expires. In every state of the
     * recording: of one that is on its way, the URL says how far it is. Stores nothing.
     * </pre>
     */
    default void createPlaybackUrl(recordings.v1.CreatePlaybackUrlRequest request,
        io.grpc.stub.StreamObserver<recordings.v1.CreatePlaybackUrlResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getCreatePlaybackUrlMethod(), responseObserver);
    }

    /**
     * <pre>
     * Deletes a recording. Idempotent with `allow_missing`.
     * </pre>
     */
    default void deleteRecording(recordings.v1.DeleteRecordingRequest request,
        io.grpc.stub.StreamObserver<recordings.v1.DeleteRecordingResponse> responseObserver) {
      io.grpc.stub.ServerCalls.asyncUnimplementedUnaryCall(getDeleteRecordingMethod(), responseObserver);
    }
  }

  /**
   * Base class for the server implementation of the service RecordingService.
   * <pre>
   * Takes call recordings off Twilio and makes them playable for ever after.
   * Every status that is not OK carries a `google.rpc.ErrorInfo` with the domain "recording-service" and a stable reason.
   * Branch on the code and that reason, never on the text.
   * </pre>
   */
  public static abstract class RecordingServiceImplBase
      implements io.grpc.BindableService, AsyncService {

    @java.lang.Override public final io.grpc.ServerServiceDefinition bindService() {
      return RecordingServiceGrpc.bindService(this);
    }
  }

  /**
   * A stub to allow clients to do asynchronous rpc calls to service RecordingService.
   * <pre>
   * Takes call recordings off Twilio and makes them playable for ever after.
   * Every status that is not OK carries a `google.rpc.ErrorInfo` with the domain "recording-service" and a stable reason.
   * Branch on the code and that reason, never on the text.
   * </pre>
   */
  public static final class RecordingServiceStub
      extends io.grpc.stub.AbstractAsyncStub<RecordingServiceStub> {
    private RecordingServiceStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected RecordingServiceStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new RecordingServiceStub(channel, callOptions);
    }

    /**
     * <pre>
     * Asks for a recording. A failing enqueue is never OK: the status is UNAVAILABLE or INTERNAL, with an
     * EnqueueRecordingResponse of the reason ERROR in its details.
     * </pre>
     */
    public void enqueueRecording(recordings.v1.EnqueueRecordingRequest request,
        io.grpc.stub.StreamObserver<recordings.v1.EnqueueRecordingResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getEnqueueRecordingMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Asks for up to 1000 recordings. A malformed item doesn't fail the others.
     * </pre>
     */
    public void batchEnqueueRecordings(recordings.v1.BatchEnqueueRecordingsRequest request,
        io.grpc.stub.StreamObserver<recordings.v1.BatchEnqueueRecordingsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getBatchEnqueueRecordingsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Says that Twilio reported `absent` or `failed`: the recording becomes FAILED unless it is READY.
     * </pre>
     */
    public void reportRecordingUnavailable(recordings.v1.ReportRecordingUnavailableRequest request,
        io.grpc.stub.StreamObserver<recordings.v1.ReportRecordingUnavailableResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getReportRecordingUnavailableMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Looks one recording up. NOT_FOUND if it is unknown or deleted.
     * </pre>
     */
    public void getRecording(recordings.v1.GetRecordingRequest request,
        io.grpc.stub.StreamObserver<recordings.v1.GetRecordingResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetRecordingMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Lists recordings, newest first.
     * </pre>
     */
    public void listRecordings(recordings.v1.ListRecordingsRequest request,
        io.grpc.stub.StreamObserver<recordings.v1.ListRecordingsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getListRecordingsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Sends the recording as it is, then after each change; ends with OK once it is READY (or as asked), FAILED or DELETED.
     * </pre>
     */
    public void watchRecording(recordings.v1.WatchRecordingRequest request,
        io.grpc.stub.StreamObserver<recordings.v1.WatchRecordingResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getWatchRecordingMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Sends the recordings that match a filter, then each change of one; ends only with an error. For lists on a screen.
     * With `after_revision` it sends the feed of events instead, which can be gone on with after any break.
     * </pre>
     */
    public void watchRecordings(recordings.v1.WatchRecordingsRequest request,
        io.grpc.stub.StreamObserver<recordings.v1.WatchRecordingsResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getWatchRecordingsMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Sends a range of the recording's bytes. FAILED_PRECONDITION at once if they are not here yet: waiting is WatchRecording.
     * </pre>
     */
    public void streamRecording(recordings.v1.StreamRecordingRequest request,
        io.grpc.stub.StreamObserver<recordings.v1.StreamRecordingResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncServerStreamingCall(
          getChannel().newCall(getStreamRecordingMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * What is seen of a recording's sound. FAILED_PRECONDITION with the reason STEP_NOT_DONE before it is drawn, and with
     * STEP_WITHOUT_RESULT where it will not be.
     * </pre>
     */
    public void getWaveform(recordings.v1.GetWaveformRequest request,
        io.grpc.stub.StreamObserver<recordings.v1.GetWaveformResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetWaveformMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * What is said in a recording. Refused as GetWaveform. Of a very long one the words are left out, so that the answer is no
     * larger than clients accept.
     * </pre>
     */
    public void getTranscript(recordings.v1.GetTranscriptRequest request,
        io.grpc.stub.StreamObserver<recordings.v1.GetTranscriptResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getGetTranscriptMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Makes a URL by which whoever has it may play the recording over HTTP until it expires. In every state of the
     * recording: of one that is on its way, the URL says how far it is. Stores nothing.
     * </pre>
     */
    public void createPlaybackUrl(recordings.v1.CreatePlaybackUrlRequest request,
        io.grpc.stub.StreamObserver<recordings.v1.CreatePlaybackUrlResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getCreatePlaybackUrlMethod(), getCallOptions()), request, responseObserver);
    }

    /**
     * <pre>
     * Deletes a recording. Idempotent with `allow_missing`.
     * </pre>
     */
    public void deleteRecording(recordings.v1.DeleteRecordingRequest request,
        io.grpc.stub.StreamObserver<recordings.v1.DeleteRecordingResponse> responseObserver) {
      io.grpc.stub.ClientCalls.asyncUnaryCall(
          getChannel().newCall(getDeleteRecordingMethod(), getCallOptions()), request, responseObserver);
    }
  }

  /**
   * A stub to allow clients to do synchronous rpc calls to service RecordingService.
   * <pre>
   * Takes call recordings off Twilio and makes them playable for ever after.
   * Every status that is not OK carries a `google.rpc.ErrorInfo` with the domain "recording-service" and a stable reason.
   * Branch on the code and that reason, never on the text.
   * </pre>
   */
  public static final class RecordingServiceBlockingV2Stub
      extends io.grpc.stub.AbstractBlockingStub<RecordingServiceBlockingV2Stub> {
    private RecordingServiceBlockingV2Stub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected RecordingServiceBlockingV2Stub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new RecordingServiceBlockingV2Stub(channel, callOptions);
    }

    /**
     * <pre>
     * Asks for a recording. A failing enqueue is never OK: the status is UNAVAILABLE or INTERNAL, with an
     * EnqueueRecordingResponse of the reason ERROR in its details.
     * </pre>
     */
    public recordings.v1.EnqueueRecordingResponse enqueueRecording(recordings.v1.EnqueueRecordingRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getEnqueueRecordingMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Asks for up to 1000 recordings. A malformed item doesn't fail the others.
     * </pre>
     */
    public recordings.v1.BatchEnqueueRecordingsResponse batchEnqueueRecordings(recordings.v1.BatchEnqueueRecordingsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getBatchEnqueueRecordingsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Says that Twilio reported `absent` or `failed`: the recording becomes FAILED unless it is READY.
     * </pre>
     */
    public recordings.v1.ReportRecordingUnavailableResponse reportRecordingUnavailable(recordings.v1.ReportRecordingUnavailableRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getReportRecordingUnavailableMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Looks one recording up. NOT_FOUND if it is unknown or deleted.
     * </pre>
     */
    public recordings.v1.GetRecordingResponse getRecording(recordings.v1.GetRecordingRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetRecordingMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists recordings, newest first.
     * </pre>
     */
    public recordings.v1.ListRecordingsResponse listRecordings(recordings.v1.ListRecordingsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListRecordingsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Sends the recording as it is, then after each change; ends with OK once it is READY (or as asked), FAILED or DELETED.
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<?, recordings.v1.WatchRecordingResponse>
        watchRecording(recordings.v1.WatchRecordingRequest request) {
      return io.grpc.stub.ClientCalls.blockingV2ServerStreamingCall(
          getChannel(), getWatchRecordingMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Sends the recordings that match a filter, then each change of one; ends only with an error. For lists on a screen.
     * With `after_revision` it sends the feed of events instead, which can be gone on with after any break.
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<?, recordings.v1.WatchRecordingsResponse>
        watchRecordings(recordings.v1.WatchRecordingsRequest request) {
      return io.grpc.stub.ClientCalls.blockingV2ServerStreamingCall(
          getChannel(), getWatchRecordingsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Sends a range of the recording's bytes. FAILED_PRECONDITION at once if they are not here yet: waiting is WatchRecording.
     * </pre>
     */
    @io.grpc.ExperimentalApi("https://github.com/grpc/grpc-java/issues/10918")
    public io.grpc.stub.BlockingClientCall<?, recordings.v1.StreamRecordingResponse>
        streamRecording(recordings.v1.StreamRecordingRequest request) {
      return io.grpc.stub.ClientCalls.blockingV2ServerStreamingCall(
          getChannel(), getStreamRecordingMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * What is seen of a recording's sound. FAILED_PRECONDITION with the reason STEP_NOT_DONE before it is drawn, and with
     * STEP_WITHOUT_RESULT where it will not be.
     * </pre>
     */
    public recordings.v1.GetWaveformResponse getWaveform(recordings.v1.GetWaveformRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetWaveformMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * What is said in a recording. Refused as GetWaveform. Of a very long one the words are left out, so that the answer is no
     * larger than clients accept.
     * </pre>
     */
    public recordings.v1.GetTranscriptResponse getTranscript(recordings.v1.GetTranscriptRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetTranscriptMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Makes a URL by which whoever has it may play the recording over HTTP until it expires. In every state of the
     * recording: of one that is on its way, the URL says how far it is. Stores nothing.
     * </pre>
     */
    public recordings.v1.CreatePlaybackUrlResponse createPlaybackUrl(recordings.v1.CreatePlaybackUrlRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCreatePlaybackUrlMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Deletes a recording. Idempotent with `allow_missing`.
     * </pre>
     */
    public recordings.v1.DeleteRecordingResponse deleteRecording(recordings.v1.DeleteRecordingRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDeleteRecordingMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do limited synchronous rpc calls to service RecordingService.
   * <pre>
   * Takes call recordings off Twilio and makes them playable for ever after.
   * Every status that is not OK carries a `google.rpc.ErrorInfo` with the domain "recording-service" and a stable reason.
   * Branch on the code and that reason, never on the text.
   * </pre>
   */
  public static final class RecordingServiceBlockingStub
      extends io.grpc.stub.AbstractBlockingStub<RecordingServiceBlockingStub> {
    private RecordingServiceBlockingStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected RecordingServiceBlockingStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new RecordingServiceBlockingStub(channel, callOptions);
    }

    /**
     * <pre>
     * Asks for a recording. A failing enqueue is never OK: the status is UNAVAILABLE or INTERNAL, with an
     * EnqueueRecordingResponse of the reason ERROR in its details.
     * </pre>
     */
    public recordings.v1.EnqueueRecordingResponse enqueueRecording(recordings.v1.EnqueueRecordingRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getEnqueueRecordingMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Asks for up to 1000 recordings. A malformed item doesn't fail the others.
     * </pre>
     */
    public recordings.v1.BatchEnqueueRecordingsResponse batchEnqueueRecordings(recordings.v1.BatchEnqueueRecordingsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getBatchEnqueueRecordingsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Says that Twilio reported `absent` or `failed`: the recording becomes FAILED unless it is READY.
     * </pre>
     */
    public recordings.v1.ReportRecordingUnavailableResponse reportRecordingUnavailable(recordings.v1.ReportRecordingUnavailableRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getReportRecordingUnavailableMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Looks one recording up. NOT_FOUND if it is unknown or deleted.
     * </pre>
     */
    public recordings.v1.GetRecordingResponse getRecording(recordings.v1.GetRecordingRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetRecordingMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Lists recordings, newest first.
     * </pre>
     */
    public recordings.v1.ListRecordingsResponse listRecordings(recordings.v1.ListRecordingsRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getListRecordingsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Sends the recording as it is, then after each change; ends with OK once it is READY (or as asked), FAILED or DELETED.
     * </pre>
     */
    public java.util.Iterator<recordings.v1.WatchRecordingResponse> watchRecording(
        recordings.v1.WatchRecordingRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getWatchRecordingMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Sends the recordings that match a filter, then each change of one; ends only with an error. For lists on a screen.
     * With `after_revision` it sends the feed of events instead, which can be gone on with after any break.
     * </pre>
     */
    public java.util.Iterator<recordings.v1.WatchRecordingsResponse> watchRecordings(
        recordings.v1.WatchRecordingsRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getWatchRecordingsMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Sends a range of the recording's bytes. FAILED_PRECONDITION at once if they are not here yet: waiting is WatchRecording.
     * </pre>
     */
    public java.util.Iterator<recordings.v1.StreamRecordingResponse> streamRecording(
        recordings.v1.StreamRecordingRequest request) {
      return io.grpc.stub.ClientCalls.blockingServerStreamingCall(
          getChannel(), getStreamRecordingMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * What is seen of a recording's sound. FAILED_PRECONDITION with the reason STEP_NOT_DONE before it is drawn, and with
     * STEP_WITHOUT_RESULT where it will not be.
     * </pre>
     */
    public recordings.v1.GetWaveformResponse getWaveform(recordings.v1.GetWaveformRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetWaveformMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * What is said in a recording. Refused as GetWaveform. Of a very long one the words are left out, so that the answer is no
     * larger than clients accept.
     * </pre>
     */
    public recordings.v1.GetTranscriptResponse getTranscript(recordings.v1.GetTranscriptRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getGetTranscriptMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Makes a URL by which whoever has it may play the recording over HTTP until it expires. In every state of the
     * recording: of one that is on its way, the URL says how far it is. Stores nothing.
     * </pre>
     */
    public recordings.v1.CreatePlaybackUrlResponse createPlaybackUrl(recordings.v1.CreatePlaybackUrlRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getCreatePlaybackUrlMethod(), getCallOptions(), request);
    }

    /**
     * <pre>
     * Deletes a recording. Idempotent with `allow_missing`.
     * </pre>
     */
    public recordings.v1.DeleteRecordingResponse deleteRecording(recordings.v1.DeleteRecordingRequest request) {
      return io.grpc.stub.ClientCalls.blockingUnaryCall(
          getChannel(), getDeleteRecordingMethod(), getCallOptions(), request);
    }
  }

  /**
   * A stub to allow clients to do ListenableFuture-style rpc calls to service RecordingService.
   * <pre>
   * Takes call recordings off Twilio and makes them playable for ever after.
   * Every status that is not OK carries a `google.rpc.ErrorInfo` with the domain "recording-service" and a stable reason.
   * Branch on the code and that reason, never on the text.
   * </pre>
   */
  public static final class RecordingServiceFutureStub
      extends io.grpc.stub.AbstractFutureStub<RecordingServiceFutureStub> {
    private RecordingServiceFutureStub(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      super(channel, callOptions);
    }

    @java.lang.Override
    protected RecordingServiceFutureStub build(
        io.grpc.Channel channel, io.grpc.CallOptions callOptions) {
      return new RecordingServiceFutureStub(channel, callOptions);
    }

    /**
     * <pre>
     * Asks for a recording. A failing enqueue is never OK: the status is UNAVAILABLE or INTERNAL, with an
     * EnqueueRecordingResponse of the reason ERROR in its details.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<recordings.v1.EnqueueRecordingResponse> enqueueRecording(
        recordings.v1.EnqueueRecordingRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getEnqueueRecordingMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Asks for up to 1000 recordings. A malformed item doesn't fail the others.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<recordings.v1.BatchEnqueueRecordingsResponse> batchEnqueueRecordings(
        recordings.v1.BatchEnqueueRecordingsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getBatchEnqueueRecordingsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Says that Twilio reported `absent` or `failed`: the recording becomes FAILED unless it is READY.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<recordings.v1.ReportRecordingUnavailableResponse> reportRecordingUnavailable(
        recordings.v1.ReportRecordingUnavailableRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getReportRecordingUnavailableMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Looks one recording up. NOT_FOUND if it is unknown or deleted.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<recordings.v1.GetRecordingResponse> getRecording(
        recordings.v1.GetRecordingRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetRecordingMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Lists recordings, newest first.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<recordings.v1.ListRecordingsResponse> listRecordings(
        recordings.v1.ListRecordingsRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getListRecordingsMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * What is seen of a recording's sound. FAILED_PRECONDITION with the reason STEP_NOT_DONE before it is drawn, and with
     * STEP_WITHOUT_RESULT where it will not be.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<recordings.v1.GetWaveformResponse> getWaveform(
        recordings.v1.GetWaveformRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetWaveformMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * What is said in a recording. Refused as GetWaveform. Of a very long one the words are left out, so that the answer is no
     * larger than clients accept.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<recordings.v1.GetTranscriptResponse> getTranscript(
        recordings.v1.GetTranscriptRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getGetTranscriptMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Makes a URL by which whoever has it may play the recording over HTTP until it expires. In every state of the
     * recording: of one that is on its way, the URL says how far it is. Stores nothing.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<recordings.v1.CreatePlaybackUrlResponse> createPlaybackUrl(
        recordings.v1.CreatePlaybackUrlRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getCreatePlaybackUrlMethod(), getCallOptions()), request);
    }

    /**
     * <pre>
     * Deletes a recording. Idempotent with `allow_missing`.
     * </pre>
     */
    public com.google.common.util.concurrent.ListenableFuture<recordings.v1.DeleteRecordingResponse> deleteRecording(
        recordings.v1.DeleteRecordingRequest request) {
      return io.grpc.stub.ClientCalls.futureUnaryCall(
          getChannel().newCall(getDeleteRecordingMethod(), getCallOptions()), request);
    }
  }

  private static final int METHODID_ENQUEUE_RECORDING = 0;
  private static final int METHODID_BATCH_ENQUEUE_RECORDINGS = 1;
  private static final int METHODID_REPORT_RECORDING_UNAVAILABLE = 2;
  private static final int METHODID_GET_RECORDING = 3;
  private static final int METHODID_LIST_RECORDINGS = 4;
  private static final int METHODID_WATCH_RECORDING = 5;
  private static final int METHODID_WATCH_RECORDINGS = 6;
  private static final int METHODID_STREAM_RECORDING = 7;
  private static final int METHODID_GET_WAVEFORM = 8;
  private static final int METHODID_GET_TRANSCRIPT = 9;
  private static final int METHODID_CREATE_PLAYBACK_URL = 10;
  private static final int METHODID_DELETE_RECORDING = 11;

  private static final class MethodHandlers<Req, Resp> implements
      io.grpc.stub.ServerCalls.UnaryMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ServerStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.ClientStreamingMethod<Req, Resp>,
      io.grpc.stub.ServerCalls.BidiStreamingMethod<Req, Resp> {
    private final AsyncService serviceImpl;
    private final int methodId;

    MethodHandlers(AsyncService serviceImpl, int methodId) {
      this.serviceImpl = serviceImpl;
      this.methodId = methodId;
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public void invoke(Req request, io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        case METHODID_ENQUEUE_RECORDING:
          serviceImpl.enqueueRecording((recordings.v1.EnqueueRecordingRequest) request,
              (io.grpc.stub.StreamObserver<recordings.v1.EnqueueRecordingResponse>) responseObserver);
          break;
        case METHODID_BATCH_ENQUEUE_RECORDINGS:
          serviceImpl.batchEnqueueRecordings((recordings.v1.BatchEnqueueRecordingsRequest) request,
              (io.grpc.stub.StreamObserver<recordings.v1.BatchEnqueueRecordingsResponse>) responseObserver);
          break;
        case METHODID_REPORT_RECORDING_UNAVAILABLE:
          serviceImpl.reportRecordingUnavailable((recordings.v1.ReportRecordingUnavailableRequest) request,
              (io.grpc.stub.StreamObserver<recordings.v1.ReportRecordingUnavailableResponse>) responseObserver);
          break;
        case METHODID_GET_RECORDING:
          serviceImpl.getRecording((recordings.v1.GetRecordingRequest) request,
              (io.grpc.stub.StreamObserver<recordings.v1.GetRecordingResponse>) responseObserver);
          break;
        case METHODID_LIST_RECORDINGS:
          serviceImpl.listRecordings((recordings.v1.ListRecordingsRequest) request,
              (io.grpc.stub.StreamObserver<recordings.v1.ListRecordingsResponse>) responseObserver);
          break;
        case METHODID_WATCH_RECORDING:
          serviceImpl.watchRecording((recordings.v1.WatchRecordingRequest) request,
              (io.grpc.stub.StreamObserver<recordings.v1.WatchRecordingResponse>) responseObserver);
          break;
        case METHODID_WATCH_RECORDINGS:
          serviceImpl.watchRecordings((recordings.v1.WatchRecordingsRequest) request,
              (io.grpc.stub.StreamObserver<recordings.v1.WatchRecordingsResponse>) responseObserver);
          break;
        case METHODID_STREAM_RECORDING:
          serviceImpl.streamRecording((recordings.v1.StreamRecordingRequest) request,
              (io.grpc.stub.StreamObserver<recordings.v1.StreamRecordingResponse>) responseObserver);
          break;
        case METHODID_GET_WAVEFORM:
          serviceImpl.getWaveform((recordings.v1.GetWaveformRequest) request,
              (io.grpc.stub.StreamObserver<recordings.v1.GetWaveformResponse>) responseObserver);
          break;
        case METHODID_GET_TRANSCRIPT:
          serviceImpl.getTranscript((recordings.v1.GetTranscriptRequest) request,
              (io.grpc.stub.StreamObserver<recordings.v1.GetTranscriptResponse>) responseObserver);
          break;
        case METHODID_CREATE_PLAYBACK_URL:
          serviceImpl.createPlaybackUrl((recordings.v1.CreatePlaybackUrlRequest) request,
              (io.grpc.stub.StreamObserver<recordings.v1.CreatePlaybackUrlResponse>) responseObserver);
          break;
        case METHODID_DELETE_RECORDING:
          serviceImpl.deleteRecording((recordings.v1.DeleteRecordingRequest) request,
              (io.grpc.stub.StreamObserver<recordings.v1.DeleteRecordingResponse>) responseObserver);
          break;
        default:
          throw new AssertionError();
      }
    }

    @java.lang.Override
    @java.lang.SuppressWarnings("unchecked")
    public io.grpc.stub.StreamObserver<Req> invoke(
        io.grpc.stub.StreamObserver<Resp> responseObserver) {
      switch (methodId) {
        default:
          throw new AssertionError();
      }
    }
  }

  public static final io.grpc.ServerServiceDefinition bindService(AsyncService service) {
    return io.grpc.ServerServiceDefinition.builder(getServiceDescriptor())
        .addMethod(
          getEnqueueRecordingMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              recordings.v1.EnqueueRecordingRequest,
              recordings.v1.EnqueueRecordingResponse>(
                service, METHODID_ENQUEUE_RECORDING)))
        .addMethod(
          getBatchEnqueueRecordingsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              recordings.v1.BatchEnqueueRecordingsRequest,
              recordings.v1.BatchEnqueueRecordingsResponse>(
                service, METHODID_BATCH_ENQUEUE_RECORDINGS)))
        .addMethod(
          getReportRecordingUnavailableMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              recordings.v1.ReportRecordingUnavailableRequest,
              recordings.v1.ReportRecordingUnavailableResponse>(
                service, METHODID_REPORT_RECORDING_UNAVAILABLE)))
        .addMethod(
          getGetRecordingMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              recordings.v1.GetRecordingRequest,
              recordings.v1.GetRecordingResponse>(
                service, METHODID_GET_RECORDING)))
        .addMethod(
          getListRecordingsMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              recordings.v1.ListRecordingsRequest,
              recordings.v1.ListRecordingsResponse>(
                service, METHODID_LIST_RECORDINGS)))
        .addMethod(
          getWatchRecordingMethod(),
          io.grpc.stub.ServerCalls.asyncServerStreamingCall(
            new MethodHandlers<
              recordings.v1.WatchRecordingRequest,
              recordings.v1.WatchRecordingResponse>(
                service, METHODID_WATCH_RECORDING)))
        .addMethod(
          getWatchRecordingsMethod(),
          io.grpc.stub.ServerCalls.asyncServerStreamingCall(
            new MethodHandlers<
              recordings.v1.WatchRecordingsRequest,
              recordings.v1.WatchRecordingsResponse>(
                service, METHODID_WATCH_RECORDINGS)))
        .addMethod(
          getStreamRecordingMethod(),
          io.grpc.stub.ServerCalls.asyncServerStreamingCall(
            new MethodHandlers<
              recordings.v1.StreamRecordingRequest,
              recordings.v1.StreamRecordingResponse>(
                service, METHODID_STREAM_RECORDING)))
        .addMethod(
          getGetWaveformMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              recordings.v1.GetWaveformRequest,
              recordings.v1.GetWaveformResponse>(
                service, METHODID_GET_WAVEFORM)))
        .addMethod(
          getGetTranscriptMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              recordings.v1.GetTranscriptRequest,
              recordings.v1.GetTranscriptResponse>(
                service, METHODID_GET_TRANSCRIPT)))
        .addMethod(
          getCreatePlaybackUrlMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              recordings.v1.CreatePlaybackUrlRequest,
              recordings.v1.CreatePlaybackUrlResponse>(
                service, METHODID_CREATE_PLAYBACK_URL)))
        .addMethod(
          getDeleteRecordingMethod(),
          io.grpc.stub.ServerCalls.asyncUnaryCall(
            new MethodHandlers<
              recordings.v1.DeleteRecordingRequest,
              recordings.v1.DeleteRecordingResponse>(
                service, METHODID_DELETE_RECORDING)))
        .build();
  }

  private static abstract class RecordingServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoFileDescriptorSupplier, io.grpc.protobuf.ProtoServiceDescriptorSupplier {
    RecordingServiceBaseDescriptorSupplier() {}

    @java.lang.Override
    public com.google.protobuf.Descriptors.FileDescriptor getFileDescriptor() {
      return recordings.v1.RecordingServiceProto.getDescriptor();
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.ServiceDescriptor getServiceDescriptor() {
      return getFileDescriptor().findServiceByName("RecordingService");
    }
  }

  private static final class RecordingServiceFileDescriptorSupplier
      extends RecordingServiceBaseDescriptorSupplier {
    RecordingServiceFileDescriptorSupplier() {}
  }

  private static final class RecordingServiceMethodDescriptorSupplier
      extends RecordingServiceBaseDescriptorSupplier
      implements io.grpc.protobuf.ProtoMethodDescriptorSupplier {
    private final java.lang.String methodName;

    RecordingServiceMethodDescriptorSupplier(java.lang.String methodName) {
      this.methodName = methodName;
    }

    @java.lang.Override
    public com.google.protobuf.Descriptors.MethodDescriptor getMethodDescriptor() {
      return getServiceDescriptor().findMethodByName(methodName);
    }
  }

  private static volatile io.grpc.ServiceDescriptor serviceDescriptor;

  public static io.grpc.ServiceDescriptor getServiceDescriptor() {
    io.grpc.ServiceDescriptor result = serviceDescriptor;
    if (result == null) {
      synchronized (RecordingServiceGrpc.class) {
        result = serviceDescriptor;
        if (result == null) {
          serviceDescriptor = result = io.grpc.ServiceDescriptor.newBuilder(SERVICE_NAME)
              .setSchemaDescriptor(new RecordingServiceFileDescriptorSupplier())
              .addMethod(getEnqueueRecordingMethod())
              .addMethod(getBatchEnqueueRecordingsMethod())
              .addMethod(getReportRecordingUnavailableMethod())
              .addMethod(getGetRecordingMethod())
              .addMethod(getListRecordingsMethod())
              .addMethod(getWatchRecordingMethod())
              .addMethod(getWatchRecordingsMethod())
              .addMethod(getStreamRecordingMethod())
              .addMethod(getGetWaveformMethod())
              .addMethod(getGetTranscriptMethod())
              .addMethod(getCreatePlaybackUrlMethod())
              .addMethod(getDeleteRecordingMethod())
              .build();
        }
      }
    }
    return result;
  }
}
