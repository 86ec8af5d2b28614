package io.ewok.gds.lsm;

import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.UnsupportedFormatException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.Objects;
import java.util.Set;

/**
 * Reads a stream that {@link ExportWriter} has written, record by record. Each piece is checked
 * before anything of it is shown; that the stream is whole is known at its end only.
 *
 * <p>Ownership: the input is the caller's. Holds one piece, as large as the largest record.
 * Threads: one at a time.
 *
 * {@snippet :
 * ExportReader records = new ExportReader(in, path);
 * while (records.next()) {
 *   take(records.family(), records.key(), records.value());
 * }
 * }
 *
 * <p>Errors: {@link CorruptFileException} with the offset in the stream if it is damaged, cut off,
 * or something else; {@link UnsupportedFormatException} if a newer version wrote it.
 */
public final class ExportReader {
  private static final int READ_BYTES = 64 << 10;

  private final InputStream in;
  private final Path name;
  private final Set<String> families = new LinkedHashSet<>();

  /** Where the next frame begins. */
  private long offset;

  /** The frame that was read last; what is left of its records lies between position and limit. */
  private ByteBuffer frame = ByteBuffer.allocate(0);

  private String family;
  private MemorySegment key;
  private MemorySegment value;
  private long records;
  private boolean isEnded;

  /**
   * Begins to read.
   *
   * @param name of the file or stream, for errors
   */
  public ExportReader(InputStream in, Path name) throws IOException {
    this.in = Objects.requireNonNull(in, "in");
    this.name = Objects.requireNonNull(name, "name");
    byte[] header = in.readNBytes(ExportFormat.HEADER_BYTES);
    ByteBuffer from = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
    if (header.length < ExportFormat.HEADER_BYTES
        || from.getLong(ExportFormat.MAGIC_OFFSET) != ExportFormat.MAGIC) {
      throw new CorruptFileException(name, 0, "the header of an export", "something else");
    }
    int version = from.getInt(ExportFormat.VERSION_OFFSET);
    if (version != ExportFormat.VERSION) {
      throw new UnsupportedFormatException(name, version, ExportFormat.VERSION);
    }
    if (!Arrays.equals(header, ExportFormat.header())) {
      throw new CorruptFileException(name, 0, "zeros in a header", "something else");
    }
    offset = header.length;
  }

  /** Goes to the next record; returns false behind the last one, when all was there. */
  public boolean next() throws IOException {
    while (!isEnded && !frame.hasRemaining()) {
      readFrame();
    }
    if (isEnded) {
      return false;
    }
    if (frame.remaining() < ExportFormat.RECORD_HEADER_BYTES) {
      throw corrupt("a record", frame.remaining() + " bytes");
    }
    int keyBytes = frame.getInt();
    int valueBytes = frame.getInt();
    if (keyBytes < 0
        || keyBytes > Keys.BYTES_MAX
        || valueBytes < 0
        || valueBytes > frame.remaining() - keyBytes) {
      throw corrupt("a record", "one of %d and %d bytes".formatted(keyBytes, valueBytes));
    }
    key = take(keyBytes);
    value = take(valueBytes);
    records++;
    return true;
  }

  private MemorySegment take(int bytes) {
    MemorySegment taken =
        MemorySegment.ofArray(frame.array()).asSlice(frame.position(), bytes).asReadOnly();
    frame.position(frame.position() + bytes);
    return taken;
  }

  private void readFrame() throws IOException {
    byte[] header = in.readNBytes(ExportFormat.FRAME_HEADER_BYTES);
    if (header.length < ExportFormat.FRAME_HEADER_BYTES) {
      throw corrupt("more of the stream", "its end after %d bytes".formatted(header.length));
    }
    ByteBuffer from = ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN);
    int lengthBytes = from.getInt(ExportFormat.LENGTH_OFFSET);
    if (lengthBytes < 1 || lengthBytes > ExportFormat.BODY_BYTES_MAX) {
      throw corrupt("a frame", "one of %d bytes".formatted(lengthBytes));
    }
    byte[] all = readBody(header, lengthBytes);
    int checksum = ExportFormat.checksum(all, all.length, offset);
    if (checksum != from.getInt(ExportFormat.CHECKSUM_OFFSET)) {
      throw corrupt(
          "checksum " + Integer.toHexString(checksum),
          Integer.toHexString(from.getInt(ExportFormat.CHECKSUM_OFFSET)));
    }
    frame =
        ByteBuffer.wrap(all)
            .order(ByteOrder.LITTLE_ENDIAN)
            .position(ExportFormat.FRAME_HEADER_BYTES);
    switch (from.getInt(ExportFormat.TYPE_OFFSET)) {
      case ExportFormat.TYPE_FAMILY -> beginFamily();
      case ExportFormat.TYPE_RECORDS -> {
        if (family == null) {
          throw corrupt("a family", "records");
        }
      }
      case ExportFormat.TYPE_END -> end();
      default -> throw corrupt("a frame", "one of another type");
    }
    offset += all.length;
  }

  /** No more memory than there are bytes, whatever the length says. */
  private byte[] readBody(byte[] header, int lengthBytes) throws IOException {
    byte[] all = Arrays.copyOf(header, header.length + Math.min(lengthBytes, READ_BYTES));
    int wanted = header.length + lengthBytes;
    int have = header.length;
    while (have < wanted) {
      if (have == all.length) {
        all = Arrays.copyOf(all, (int) Math.min(wanted, 2L * all.length));
      }
      int count = in.readNBytes(all, have, all.length - have);
      if (count == 0) {
        throw corrupt("a frame of %d bytes".formatted(wanted), "%d of them".formatted(have));
      }
      have += count;
    }
    return all;
  }

  private void beginFamily() throws CorruptFileException {
    try {
      family = StandardCharsets.UTF_8.newDecoder().decode(frame).toString();
    } catch (CharacterCodingException e) {
      throw corrupt("the name of a family in UTF-8", "other bytes");
    }
    if (!FamilyEdit.isName(family) || !families.add(family)) {
      throw corrupt("the name of a family, once", "another: name=" + family);
    }
  }

  private void end() throws IOException {
    if (frame.remaining() != Long.BYTES || frame.getLong() != records) {
      throw corrupt("an end after %d records".formatted(records), "another number");
    }
    if (in.read() >= 0) {
      throw corrupt("the end of the stream", "more of it");
    }
    isEnded = true;
  }

  private CorruptFileException corrupt(String expected, String found) {
    return new CorruptFileException(name, offset, expected, found);
  }

  /** Returns the name of the family that the record is of. */
  public String family() {
    return family;
  }

  /** Returns the names of all families so far, those without records too. */
  public Set<String> families() {
    return Collections.unmodifiableSet(families);
  }

  /** Returns the key of the record. It stays as it is. */
  public MemorySegment key() {
    return key;
  }

  /** Returns the value of the record. It stays as it is. */
  public MemorySegment value() {
    return value;
  }

  /** Returns how many bytes of the stream were read. */
  public long consumedBytes() {
    return offset;
  }
}
