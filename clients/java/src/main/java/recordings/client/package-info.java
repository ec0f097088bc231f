/**
 * The client of the recording service: begin with {@link recordings.client.RecordingsClient#builder}. {@code
 * recordings.v1} is the generated code.
 */
package recordings.client;
