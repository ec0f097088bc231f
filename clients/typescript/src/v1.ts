/** The generated code of the contract `recordings.v1`: messages, enums, and the bare stub, `RecordingServiceClient`. */
export * from "./generated/recordings/v1/deletion.js";
export * from "./generated/recordings/v1/enqueue.js";
export * from "./generated/recordings/v1/event.js";
export * from "./generated/recordings/v1/lookup.js";
export * from "./generated/recordings/v1/playback_url.js";
export * from "./generated/recordings/v1/recording.js";
export * from "./generated/recordings/v1/recording_service.js";
export * from "./generated/recordings/v1/stream.js";
export * from "./generated/recordings/v1/watch.js";
