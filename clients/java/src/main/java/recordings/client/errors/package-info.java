/** What may go wrong, by the service's stable reasons; {@link recordings.client.errors.RecordingsException} has the tree. */
package recordings.client.errors;
