package io.ewok.gds.lsm;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * The file {@code WATCH} in the directory of an open store, by which the store's process shows its
 * counters to those who watch it. It is no part of the store: it is never synced, nobody misses it,
 * and it goes when the store is closed. Integers are little-endian.
 *
 * <p>It is written and read, not mapped: whoever made it shorter would end a process that has it
 * mapped, and a look at it once a second costs nothing either way.
 *
 * <table>
 * <caption>Bytes of the file</caption>
 * <tr><th>offset</th><th>field</th><th>type</th><th>meaning</th></tr>
 * <tr><td>0</td><td>magic</td><td>u64</td><td>"GDSWATC1" in ASCII</td></tr>
 * <tr><td>8</td><td>watched</td><td>u64</td><td>until when somebody watches, milliseconds since the
 * epoch; written by who does</td></tr>
 * <tr><td>16</td><td>checksum</td><td>u32</td><td>CRC32C of all that follows, as far as the text
 * goes: what is read while it is being written is no reading</td></tr>
 * <tr><td>20</td><td>length</td><td>u32</td><td>of the text</td></tr>
 * <tr><td>24</td><td>time</td><td>u64</td><td>of the counters, milliseconds since the epoch; 0 for
 * none yet</td></tr>
 * <tr><td>32</td><td>process</td><td>u64</td><td>of the store</td></tr>
 * <tr><td>40</td><td>text</td><td></td><td>a line {@code name=value} for each counter, UTF-8</td></tr>
 * </table>
 */
final class WatchFormat {
  /** "GDSWATC1" in ASCII. */
  static final long MAGIC = 0x3143_5441_5753_4447L;

  static final int TEXT_BYTES_MAX = 1 << 16;

  private static final int WATCHED_OFFSET = 8;
  private static final int PUBLISHED_OFFSET = 16;
  private static final int HEADER_BYTES = 24;

  /** Who reads while it is being written tries again, which is over by then. */
  private static final int TRIES = 100;

  /**
   * What was published at one time.
   *
   * @param millis when, since the epoch; 0 for not yet
   * @param process of the store
   * @param text its counters
   */
  record Published(long millis, long process, String text) {}

  /** The name of the counter that says where the number of the process is one. */
  static final String NAMESPACE = "process.namespace";

  private static final String OWN_NAMESPACE = ownNamespace();

  private WatchFormat() {}

  /** What numbers of processes mean something to this one; containers have such of their own. */
  static String namespace() {
    return OWN_NAMESPACE;
  }

  private static String ownNamespace() {
    try {
      return Files.readSymbolicLink(Path.of("/proc/self/ns/pid")).toString();
    } catch (IOException e) {
      return "unknown";
    }
  }

  private static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  /** Makes one of an empty file, with nothing published but the process. */
  static void create(FileChannel file, long process) throws IOException {
    publish(file, new Published(0, process, NAMESPACE + "=" + OWN_NAMESPACE));
    write(file, buffer(PUBLISHED_OFFSET).putLong(MAGIC).putLong(0), 0);
  }

  /** Whether it is one still: it is emptied when the store is closed. */
  static boolean isWatchFile(FileChannel file) throws IOException {
    ByteBuffer magic = buffer(Long.BYTES);
    return read(file, magic, 0) == Long.BYTES && magic.getLong(0) == MAGIC;
  }

  /** Returns 0 for a file that somebody has made shorter. */
  static long watchedUntil(FileChannel file) throws IOException {
    ByteBuffer watched = buffer(Long.BYTES);
    return read(file, watched, WATCHED_OFFSET) == Long.BYTES ? watched.getLong(0) : 0;
  }

  /** Several may watch: the last one that says so counts, and each says so again and again. */
  static void watchUntil(FileChannel file, long millis) throws IOException {
    write(file, buffer(Long.BYTES).putLong(millis), WATCHED_OFFSET);
  }

  /** Publishes counters. One thread of one process. */
  static void publish(FileChannel file, Published what) throws IOException {
    byte[] text = what.text().getBytes(StandardCharsets.UTF_8);
    if (text.length > TEXT_BYTES_MAX) {
      throw new IllegalArgumentException("too many counters: bytes=" + text.length);
    }
    ByteBuffer published = buffer(HEADER_BYTES + text.length);
    published.position(Integer.BYTES).putInt(text.length);
    published.putLong(what.millis()).putLong(what.process()).put(text);
    published.putInt(0, checksum(published, published.position()));
    write(file, published, PUBLISHED_OFFSET);
  }

  /** Returns what was published last; null if nothing was, or nothing whole can be read. */
  static Published readOrNull(FileChannel file) throws IOException {
    ByteBuffer read = buffer(HEADER_BYTES + TEXT_BYTES_MAX);
    for (int i = 0; i < TRIES; i++) {
      int bytes = read(file, read.clear(), PUBLISHED_OFFSET);
      if (bytes < HEADER_BYTES) {
        return null;
      }
      int text = read.getInt(Integer.BYTES);
      if (text >= 0
          && text <= bytes - HEADER_BYTES
          && checksum(read, HEADER_BYTES + text) == read.getInt(0)) {
        return new Published(
            read.getLong(2 * Integer.BYTES),
            read.getLong(2 * Integer.BYTES + Long.BYTES),
            StandardCharsets.UTF_8.decode(read.slice(HEADER_BYTES, text)).toString());
      }
      Thread.onSpinWait();
    }
    return null;
  }

  private static int checksum(ByteBuffer published, int end) {
    CRC32C crc = new CRC32C();
    crc.update(published.slice(Integer.BYTES, end - Integer.BYTES));
    return (int) crc.getValue();
  }

  private static int read(FileChannel file, ByteBuffer into, long offset) throws IOException {
    while (into.hasRemaining()) {
      int bytes = file.read(into, offset + into.position());
      if (bytes < 0) {
        break;
      }
    }
    return into.position();
  }

  private static void write(FileChannel file, ByteBuffer from, long offset) throws IOException {
    from.flip();
    while (from.hasRemaining()) {
      int unused = file.write(from, offset + from.position());
    }
  }
}
