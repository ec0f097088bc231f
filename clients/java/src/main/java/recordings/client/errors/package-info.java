/** What may go wrong, by the service's reasons: {@link recordings.client.errors.RecordingsException} has the tree. */
package recordings.client.errors;
