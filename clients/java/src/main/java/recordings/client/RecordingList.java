package recordings.client;

import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import recordings.client.errors.ContractBrokenException;
import recordings.client.errors.Failure;
import recordings.client.errors.RecordingsException;
import recordings.v1.ListRecordingsRequest;
import recordings.v1.ListRecordingsResponse;
import recordings.v1.Recording;
import recordings.v1.RecordingServiceGrpc;

/**
 * The recordings that match a filter, newest first. A page is asked for when its first recording is, so iterating
 * throws {@link RecordingsException}; every iteration asks anew.
 */
public final class RecordingList implements Iterable<Recording> {
    private final Connection connection;
    private final ListRecordingsRequest request;

    RecordingList(Connection connection, ListRecordingsRequest request) {
        this.connection = connection;
        this.request = request;
    }

    @Override
    public Iterator<Recording> iterator() {
        return new Pages();
    }

    /** The same as a stream, as lazy as the iterator. */
    public Stream<Recording> stream() {
        return StreamSupport.stream(spliterator(), false);
    }

    private final class Pages implements Iterator<Recording> {
        private Iterator<Recording> page;
        /** Of the next page; empty after the last one. */
        private String token = request.getPageToken();

        @Override
        public boolean hasNext() {
            while (page == null || !page.hasNext() && !token.isEmpty()) {
                ListRecordingsResponse answer = connection.call(
                        RecordingServiceGrpc.getListRecordingsMethod(),
                        request.toBuilder().setPageToken(token).build());
                if (!token.isEmpty() && answer.getNextPageToken().equals(token)) {
                    throw new ContractBrokenException(Failure.of("a page whose next page is itself"), null);
                }
                page = answer.getRecordingsList().iterator();
                token = answer.getNextPageToken();
            }
            return page.hasNext();
        }

        @Override
        public Recording next() {
            if (!hasNext()) {
                throw new NoSuchElementException("there are no more recordings");
            }
            return page.next();
        }
    }
}
