package io.ewok.gds.reactor;

/** A first-in-first-out list linked through its messages. Confined to one thread. */
final class MessageQueue {
  private Message head;
  private Message tail;

  boolean isEmpty() {
    return head == null;
  }

  void addLast(Message message) {
    message.next = null;
    if (tail == null) {
      head = message;
    } else {
      tail.next = message;
    }
    tail = message;
  }

  void addFirst(Message message) {
    message.next = head;
    head = message;
    if (tail == null) {
      tail = message;
    }
  }

  /** Adds a list, its first message first; null adds nothing. */
  void addAll(Message list) {
    Message message = list;
    while (message != null) {
      Message following = message.next;
      addLast(message);
      message = following;
    }
  }

  /** Returns the oldest and leaves it; null if there is none. */
  Message first() {
    return head;
  }

  /** Takes the oldest; null if there is none. */
  Message removeFirst() {
    Message first = head;
    if (first != null) {
      head = first.next;
      if (head == null) {
        tail = null;
      }
      first.next = null;
    }
    return first;
  }

  /** Takes everything, as a list with the oldest first; null if there is nothing. */
  Message removeAll() {
    Message all = head;
    head = null;
    tail = null;
    return all;
  }
}
