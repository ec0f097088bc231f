package recordings.client;

import io.grpc.InsecureServerCredentials;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerCredentials;
import io.grpc.ServerInterceptor;
import io.grpc.ServerInterceptors;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import recordings.v1.BatchEnqueueRecordingsRequest;
import recordings.v1.BatchEnqueueRecordingsResponse;
import recordings.v1.DeleteRecordingRequest;
import recordings.v1.DeleteRecordingResponse;
import recordings.v1.EnqueueRecordingRequest;
import recordings.v1.EnqueueRecordingResponse;
import recordings.v1.GetRecordingRequest;
import recordings.v1.GetRecordingResponse;
import recordings.v1.ListRecordingsRequest;
import recordings.v1.ListRecordingsResponse;
import recordings.v1.RecordingServiceGrpc;
import recordings.v1.StreamRecordingRequest;
import recordings.v1.StreamRecordingResponse;
import recordings.v1.WatchRecordingRequest;
import recordings.v1.WatchRecordingResponse;

/** The generated service over a real connection; it misbehaves on command. Counts what is open. */
final class FakeService extends RecordingServiceGrpc.RecordingServiceImplBase implements AutoCloseable {
    /** What one stream does; `opening` counts from 0. */
    interface Script<Q, A> {
        void play(int opening, Q request, ServerCallStreamObserver<A> to) throws Exception;
    }

    final List<StreamRecordingRequest> openings = new CopyOnWriteArrayList<>();
    final List<Object> calls = new CopyOnWriteArrayList<>();
    final List<String> authorizations = new CopyOnWriteArrayList<>();
    final AtomicInteger open = new AtomicInteger();
    final AtomicInteger watches = new AtomicInteger();

    volatile Script<StreamRecordingRequest, StreamRecordingResponse> stream;
    volatile Script<WatchRecordingRequest, WatchRecordingResponse> watch;
    volatile Function<EnqueueRecordingRequest, EnqueueRecordingResponse> enqueue;
    volatile Function<BatchEnqueueRecordingsRequest, BatchEnqueueRecordingsResponse> batch;
    volatile Function<GetRecordingRequest, GetRecordingResponse> get;
    volatile Function<ListRecordingsRequest, ListRecordingsResponse> list;
    volatile Function<DeleteRecordingRequest, DeleteRecordingResponse> delete;

    private Server server;
    /** Kept for {@link #startAgain}: a server that has stopped doesn't say it any more. */
    private int port;
    private final ServerCredentials credentials;

    FakeService() {
        this(InsecureServerCredentials.create());
    }

    FakeService(ServerCredentials credentials) {
        this.credentials = credentials;
        startAgain();
    }

    String target() {
        return "127.0.0.1:" + port;
    }

    void stop() {
        server.shutdownNow();
        try {
            if (!server.awaitTermination(10, TimeUnit.SECONDS)) {
                throw new IllegalStateException("the server does not stop");
            }
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted while the server stopped", e);
        }
    }

    void startAgain() {
        try {
            server = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", port), credentials)
                    .addService(ServerInterceptors.intercept(this, new Authorizations()))
                    .build()
                    .start();
            port = server.getPort();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        stop();
    }

    @Override
    public void streamRecording(StreamRecordingRequest request, StreamObserver<StreamRecordingResponse> to) {
        openings.add(request);
        play(stream, openings.size() - 1, request, to);
    }

    @Override
    public void watchRecording(WatchRecordingRequest request, StreamObserver<WatchRecordingResponse> to) {
        play(watch, watches.getAndIncrement(), request, to);
    }

    @Override
    public void enqueueRecording(EnqueueRecordingRequest request, StreamObserver<EnqueueRecordingResponse> to) {
        answer(enqueue, request, to);
    }

    @Override
    public void batchEnqueueRecordings(
            BatchEnqueueRecordingsRequest request, StreamObserver<BatchEnqueueRecordingsResponse> to) {
        answer(batch, request, to);
    }

    @Override
    public void getRecording(GetRecordingRequest request, StreamObserver<GetRecordingResponse> to) {
        answer(get, request, to);
    }

    @Override
    public void listRecordings(ListRecordingsRequest request, StreamObserver<ListRecordingsResponse> to) {
        answer(list, request, to);
    }

    @Override
    public void deleteRecording(DeleteRecordingRequest request, StreamObserver<DeleteRecordingResponse> to) {
        answer(delete, request, to);
    }

    private <Q, A> void answer(Function<Q, A> how, Q request, StreamObserver<A> to) {
        calls.add(request);
        try {
            A answer = how.apply(request);
            if (answer != null) {
                to.onNext(answer);
                to.onCompleted();
            }
        } catch (RuntimeException e) {
            to.onError(e);
        }
    }

    private <Q, A> void play(Script<Q, A> script, int opening, Q request, StreamObserver<A> to) {
        ServerCallStreamObserver<A> observer = (ServerCallStreamObserver<A>) to;
        open.incrementAndGet();
        observer.setOnCancelHandler(open::decrementAndGet);
        observer.setOnCloseHandler(open::decrementAndGet);
        try {
            script.play(opening, request, observer);
        } catch (Exception e) {
            observer.onError(e);
        }
    }

    private final class Authorizations implements ServerInterceptor {
        private static final Metadata.Key<String> KEY =
                Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER);

        @Override
        public <Q, A> ServerCall.Listener<Q> interceptCall(
                ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
            String authorization = headers.get(KEY);
            authorizations.add(authorization == null ? "" : authorization);
            return next.startCall(call, headers);
        }
    }
}
