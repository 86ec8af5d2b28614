package io.ewok.gds.lsm.values;

import io.ewok.gds.allocator.HugePages;
import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.encryption.FileKey;
import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.record.Keys;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.KeySource;
import io.ewok.gds.pagestore.OpenMode;
import io.ewok.gds.pagestore.WorkClass;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Reads all of one value file, for tools. Has 1 MiB of memory meanwhile, or more for a value that
 * is longer.
 *
 * <p>Threads: confined to one.
 */
public final class ValueFileInspection implements AutoCloseable {
  private static final int PIECE_BYTES = 1 << 20;

  private final IoFile file;
  private final KeySource keys;
  private final long sizeBytes;
  private Region piece = map(PIECE_BYTES);
  private long pieceStart;
  private long pieceEnd;

  /**
   * What was found.
   *
   * @param meta what a manifest would say of the file, as far as it could be read
   * @param problems what is wrong, for people; empty if nothing is
   */
  public record Findings(ValueFileMeta meta, List<String> problems) {}

  private ValueFileInspection(IoFile file, KeySource keys) throws IOException {
    this.file = file;
    this.keys = keys;
    this.sizeBytes = file.sizeBytes();
  }

  /**
   * Reads a file. What is damaged of an entry is a problem, and what is behind it is read all the
   * same, if its length can be believed.
   *
   * @throws CorruptFileException if it is no value file, or its header is damaged
   * @throws io.ewok.gds.pagestore.UnknownKeyException if it is encrypted, and the key is not among
   *     those of the engine
   * @throws io.ewok.gds.pagestore.WrongKeyException if it is another one there
   * @throws io.ewok.gds.pagestore.PlainFileException if it is not encrypted, and should be
   */
  public static Findings inspect(IoEngine engine, Path path) throws IOException {
    try (IoFile file = engine.open(path, OpenMode.READ_ONLY)) {
      file.setWorkClass(WorkClass.BACKUP);
      try (ValueFileInspection inspection = new ValueFileInspection(file, engine.keys())) {
        return inspection.run();
      }
    }
  }

  private Findings run() throws IOException {
    if (sizeBytes == 0 || sizeBytes % ValueFormat.FILE_ALIGNMENT_BYTES != 0) {
      throw corrupt(0, "a value file in multiples of 4096 bytes", sizeBytes + " bytes");
    }
    long header = load(0, ValueFormat.HEADER_BYTES);
    long number = Memory.getLong(header + ValueFormat.NUMBER_OFFSET);
    int family = Memory.getInt(header + ValueFormat.FAMILY_OFFSET);
    String headerDefect = ValueLoader.headerDefect(header, ValueFormat.HEADER_BYTES, number);
    if (headerDefect != null) {
      throw corrupt(0, "a sound " + headerDefect, "another");
    }
    boolean isSealed = ValueFormat.isSealed(header);
    FileKey key = null;
    if (isSealed) {
      long at = load(ValueFormat.HEADER_BYTES, ValueFormat.KEY_BYTES);
      key = ValueFormat.readKey(keys, at, number, file.path());
    } else {
      FileKey.acceptPlain(keys, file.path());
    }
    int tagBytes = isSealed ? ValueFormat.TAG_BYTES : 0;
    List<String> problems = new ArrayList<>();
    long entries = 0;
    long bytes = 0;
    long offset = ValueFormat.HEADER_BYTES;
    if (isSealed) {
      offset += ValueFormat.KEY_BYTES;
    }
    while (offset <= sizeBytes - ValueFormat.KEY_OFFSET) {
      long head = load(offset, ValueFormat.KEY_OFFSET);
      long keyBytes = Memory.getInt(head + ValueFormat.KEY_LENGTH_OFFSET);
      long valueBytes = Memory.getInt(head + ValueFormat.VALUE_LENGTH_OFFSET);
      if (keyBytes == 0 && valueBytes == 0 && Memory.getInt(head) == 0) {
        break; // the zeros at the end
      }
      long entryBytes = ValueFormat.KEY_OFFSET + keyBytes + valueBytes + tagBytes;
      if (keyBytes < 0
          || keyBytes > Keys.BYTES_MAX
          || valueBytes < 1
          || entryBytes > sizeBytes - offset) {
        problems.add(corrupt(offset, "a value", "damage, and what follows").getMessage());
        break;
      }
      long entry = load(offset, entryBytes);
      String defect =
          isSealed
              ? ValueLoader.sealedDefect(key, entry, entryBytes, number, offset, entry)
              : ValueLoader.entryDefect(entry, entryBytes, number, offset);
      if (defect != null) {
        problems.add(corrupt(offset, "a sound " + defect, "another").getMessage());
      }
      entries++;
      bytes += entryBytes;
      offset = ValueFormat.padded(offset + entryBytes, ValueFormat.ENTRY_ALIGNMENT_BYTES);
    }
    return new Findings(new ValueFileMeta(number, family, sizeBytes, entries, bytes), problems);
  }

  /** Has a part of the file in memory, and returns its address. */
  private long load(long offset, long lengthBytes) throws IOException {
    if (offset < pieceStart || offset + lengthBytes > pieceEnd) {
      long start = offset & -ValueFormat.FILE_ALIGNMENT_BYTES;
      long wanted =
          ValueFormat.padded(offset + lengthBytes, ValueFormat.FILE_ALIGNMENT_BYTES) - start;
      if (wanted > piece.sizeBytes()) {
        piece.close();
        piece = map(wanted);
      }
      pieceEnd = 0;
      int length = (int) Math.min(piece.sizeBytes(), sizeBytes - start);
      file.readFully(start, piece, 0, length);
      pieceStart = start;
      pieceEnd = start + length;
    }
    return piece.address() + (offset - pieceStart);
  }

  private static Region map(long bytes) {
    long size = ValueFormat.padded(bytes, ValueFormat.FILE_ALIGNMENT_BYTES);
    return Region.map(
        MemoryBudget.root("inspection of values", size),
        RegionOptions.ofSize(size).withHugePages(HugePages.OFF));
  }

  private CorruptFileException corrupt(long offset, String expected, String actual) {
    return new CorruptFileException(file.path(), offset, expected, actual);
  }

  @Override
  public void close() {
    piece.close();
  }
}
