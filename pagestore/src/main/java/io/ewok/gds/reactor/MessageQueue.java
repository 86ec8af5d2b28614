package io.ewok.gds.reactor;

/** A first-in-first-out list linked through its messages. Confined to one thread. */
final class MessageQueue {
  private Message head;
  private Message tail;
  private int size;

  boolean isEmpty() {
    return head == null;
  }

  int size() {
    return size;
  }

  void addLast(Message message) {
    message.next = null;
    if (tail == null) {
      head = message;
    } else {
      tail.next = message;
    }
    tail = message;
    size++;
  }

  void addFirst(Message message) {
    message.next = head;
    head = message;
    if (tail == null) {
      tail = message;
    }
    size++;
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
      size--;
    }
    return first;
  }
}
