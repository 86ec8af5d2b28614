package io.ewok.gds.reactor;

/**
 * What travels to a reactor through its {@link Inbox}: linked through itself, so that sending
 * allocates nothing. In one inbox or queue at a time.
 */
abstract class Message {
  /** Link of the inbox and of the queue behind it. */
  Message next;
}
