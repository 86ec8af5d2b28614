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

  /** Takes one out, wherever it is. Returns false if it is not here. Takes time with the length. */
  boolean remove(Message message) {
    Message before = null;
    Message at = head;
    while (at != null && at != message) {
      before = at;
      at = at.next;
    }
    if (at == null) {
      return false;
    }
    if (before == null) {
      removeFirst();
      return true;
    }
    before.next = message.next;
    if (tail == message) {
      tail = before;
    }
    message.next = null;
    return true;
  }
}
