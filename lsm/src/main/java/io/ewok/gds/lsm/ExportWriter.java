package io.ewok.gds.lsm;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Objects;
import java.util.Set;

/**
 * Writes a stream of the records of a store, which {@link ExportReader} reads, on any machine. It
 * is written front to back in pieces of about 64 KiB, so that it may go through a pipe.
 *
 * <p>Ownership: the output is the caller's, who closes it; without {@link #finish} the stream is
 * one that was cut off. Threads: one at a time.
 *
 * {@snippet :
 * ExportWriter export = new ExportWriter(out);
 * export.add(store.name(), store);
 * export.finish();
 * }
 */
public final class ExportWriter {
  private static final int PIECE_BYTES = 64 << 10;

  private final OutputStream out;
  private final Set<String> names = new HashSet<>();
  private long offset;

  /** The frame of records that is put together, header included. */
  private ByteBuffer frame = ByteBuffer.allocate(PIECE_BYTES).order(ByteOrder.LITTLE_ENDIAN);

  private long records;
  private boolean isFinished;

  /** Begins a stream. */
  public ExportWriter(OutputStream out) throws IOException {
    this.out = Objects.requireNonNull(out, "out");
    byte[] header = ExportFormat.header();
    out.write(header);
    offset = header.length;
    frame.position(ExportFormat.FRAME_HEADER_BYTES);
  }

  /**
   * Adds all records that a view shows.
   *
   * @param family what the family is called in the stream
   * @return how many there are
   * @throws IllegalArgumentException if no family can be called so, or one was
   */
  public long add(String family, ReadView view) throws IOException {
    beginFamily(family);
    long before = records;
    try (StoreCursor cursor = view.cursor()) {
      for (cursor.first(); cursor.isValid(); cursor.next()) {
        add(cursor.key(), cursor.value());
      }
    }
    return records - before;
  }

  /**
   * Begins a family: the records that follow are of it.
   *
   * @throws IllegalArgumentException if no family can be called so, or one was
   */
  public void beginFamily(String name) throws IOException {
    requireNotFinished();
    if (!FamilyEdit.isName(name) || !names.add(name)) {
      throw new IllegalArgumentException(
          "a family has a name of its own, without control characters: name=" + name);
    }
    endRecords();
    frame.put(name.getBytes(StandardCharsets.UTF_8));
    endFrame(ExportFormat.TYPE_FAMILY);
  }

  /**
   * Adds a record of the family that was begun last.
   *
   * @throws IllegalStateException if there is none, or the stream is finished
   */
  public void add(MemorySegment key, MemorySegment value) throws IOException {
    requireNotFinished();
    if (names.isEmpty()) {
      throw new IllegalStateException("records are of a family: records=" + records);
    }
    long bytes = ExportFormat.RECORD_HEADER_BYTES + key.byteSize() + value.byteSize();
    if (bytes > ExportFormat.BODY_BYTES_MAX) {
      throw new IllegalArgumentException("a record is too large: bytes=" + bytes);
    }
    if (bytes > frame.remaining()) {
      endRecords();
      if (bytes > frame.remaining()) {
        frame =
            ByteBuffer.allocate((int) (ExportFormat.FRAME_HEADER_BYTES + bytes))
                .order(ByteOrder.LITTLE_ENDIAN)
                .position(ExportFormat.FRAME_HEADER_BYTES);
      }
    }
    frame.putInt((int) key.byteSize()).putInt((int) value.byteSize());
    put(key);
    put(value);
    records++;
  }

  private void put(MemorySegment bytes) {
    int length = (int) bytes.byteSize();
    MemorySegment.copy(bytes, ValueLayout.JAVA_BYTE, 0, frame.array(), frame.position(), length);
    frame.position(frame.position() + length);
  }

  private void endRecords() throws IOException {
    if (frame.position() > ExportFormat.FRAME_HEADER_BYTES) {
      endFrame(ExportFormat.TYPE_RECORDS);
    }
  }

  private void endFrame(int type) throws IOException {
    int bytes = frame.position();
    frame.putInt(ExportFormat.TYPE_OFFSET, type);
    frame.putInt(ExportFormat.LENGTH_OFFSET, bytes - ExportFormat.FRAME_HEADER_BYTES);
    frame.putInt(ExportFormat.CHECKSUM_OFFSET, ExportFormat.checksum(frame.array(), bytes, offset));
    out.write(frame.array(), 0, bytes);
    offset += bytes;
    frame.position(ExportFormat.FRAME_HEADER_BYTES);
  }

  /**
   * Ends the stream and flushes the output, which stays open.
   *
   * @return the number of all records
   */
  public long finish() throws IOException {
    requireNotFinished();
    endRecords();
    frame.putLong(records);
    endFrame(ExportFormat.TYPE_END);
    isFinished = true;
    out.flush();
    return records;
  }

  private void requireNotFinished() {
    if (isFinished) {
      throw new IllegalStateException("the stream is finished: records=" + records);
    }
  }
}
