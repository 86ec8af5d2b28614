package io.ewok.gds.wal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.pagestore.IoEngine;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/** What a log must remember, and the check that it does. */
final class LogModel {
  static final Path DIRECTORY = Path.of("/log");

  /** A record and the position after it. */
  record Entry(long lsn, ByteBuffer content) {}

  private final List<Entry> appended = new ArrayList<>();

  /**
   * Records at the start of the list that were not needed any more, in a truncation that ended or
   * was going on.
   */
  private int truncated;

  private int truncating;

  /** Records at the start of the list that must not be lost. */
  private int acknowledged;

  static MemoryBudget budget() {
    return MemoryBudget.root("log test", 64L << 20);
  }

  static WriteAheadLog open(IoEngine engine, LogOptions options, List<Entry> replayed)
      throws IOException {
    return WriteAheadLog.open(
        engine,
        DIRECTORY,
        options,
        budget(),
        (lsn, record) ->
            replayed.add(new Entry(lsn, ByteBuffer.wrap(record.toArray(ValueLayout.JAVA_BYTE)))));
  }

  static WriteAheadLog open(IoEngine engine, LogOptions options) throws IOException {
    return open(engine, options, new ArrayList<>());
  }

  static byte[] content(SplittableRandom random, int length) {
    byte[] content = new byte[length];
    random.nextBytes(content);
    return content;
  }

  static long append(WriteAheadLog log, byte[] content) throws IOException {
    return log.append(MemorySegment.ofArray(content));
  }

  /** A copy, for following one of several futures. */
  LogModel fork() {
    LogModel copy = new LogModel();
    copy.appended.addAll(appended);
    copy.truncated = truncated;
    copy.truncating = truncating;
    copy.acknowledged = acknowledged;
    return copy;
  }

  void append(WriteAheadLog log, SplittableRandom random, int length) throws IOException {
    byte[] content = content(random, length);
    // Known before it is appended, because a crash may come in the middle.
    appended.add(new Entry(-1, ByteBuffer.wrap(content)));
    long lsn = append(log, content);
    appended.set(appended.size() - 1, new Entry(lsn, ByteBuffer.wrap(content)));
  }

  void forgetLast() {
    appended.removeLast();
  }

  void sync(WriteAheadLog log) throws IOException {
    int covered = appended.size();
    log.sync(log.endLsn());
    acknowledged = covered;
  }

  /** Truncates to the end of one of the acknowledged records. */
  void truncate(WriteAheadLog log, SplittableRandom random) throws IOException {
    if (acknowledged > truncated) {
      truncating = truncated + 1 + random.nextInt(acknowledged - truncated);
      log.truncate(appended.get(truncating - 1).lsn());
      truncated = truncating;
    }
  }

  /**
   * What was replayed is an unbroken part of what was appended, without a gap before it or in what
   * must be there.
   */
  void check(List<Entry> replayed) {
    int first = startsAt(replayed, truncated) ? truncated : truncating;
    int end = first + replayed.size();
    assertTrue(
        end >= acknowledged,
        () -> "acknowledged records are lost: replayed to " + end + " of " + acknowledged);
    assertTrue(end <= appended.size(), () -> "records nobody appended: replayed to " + end);
    for (int i = 0; i < replayed.size(); i++) {
      Entry expected = appended.get(first + i);
      assertEquals(expected.content(), replayed.get(i).content());
      if (expected.lsn() >= 0) {
        assertEquals(expected.lsn(), replayed.get(i).lsn());
      }
    }
  }

  /** Goes on from what was found after a crash: that has become durable. */
  void recovered(List<Entry> replayed) {
    check(replayed);
    int first = startsAt(replayed, truncated) ? truncated : truncating;
    List<Entry> before = List.copyOf(appended.subList(0, first));
    appended.clear();
    appended.addAll(before);
    appended.addAll(replayed);
    truncated = first;
    truncating = first;
    acknowledged = appended.size();
  }

  void closed() {
    acknowledged = appended.size();
  }

  private boolean startsAt(List<Entry> replayed, int index) {
    if (replayed.isEmpty() || index >= appended.size()) {
      return index >= acknowledged;
    }
    return appended.get(index).content().equals(replayed.getFirst().content());
  }
}
