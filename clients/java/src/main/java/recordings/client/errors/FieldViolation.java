package recordings.client.errors;

import java.io.Serializable;

/**
 * One field of a request that is wrong.
 *
 * @param field its name in the contract, such as {@code recording_sid}
 * @param description what is wrong, and how to mend it; not stable
 */
public record FieldViolation(String field, String description) implements Serializable {}
