package recordings.client;

import recordings.v1.Recording;

/**
 * What the first message of a stream says.
 *
 * @param recording the recording, of the version that is read
 * @param start the first byte that is to come
 * @param end one past the last byte that is to come
 * @param completeLength how many bytes the whole recording has
 */
record Opening(Recording recording, long start, long end, long completeLength) {}
