// The service's time: a device whose clock is wrong would say "in 3 min" of what has just happened.

let offset = 0;

/** A moment that the service has just named. */
export function setServerTime(text) {
  const moment = Date.parse(text);
  if (Number.isFinite(moment)) offset = moment - Date.now();
}

/** Now, in milliseconds of the service's clock. */
export function now() {
  return Date.now() + offset;
}
