package io.ewok.gds.lsm;

import io.ewok.gds.allocator.HugePages;
import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.allocator.Region;
import io.ewok.gds.allocator.RegionOptions;
import io.ewok.gds.lsm.table.TableMeta;
import io.ewok.gds.pagestore.CorruptFileException;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * The manifest file of an open store: edits are appended and synced one by one, and now and then
 * the file is replaced by a new one that begins with their sum. The new file is written beside the
 * old one and takes its name when it is durable; so at each moment one of them is there, whole.
 *
 * <p>The first edit after an opening begins a new file, and so does the one after a failure: what a
 * crash or a failure left at the end of a file is never written behind.
 *
 * <p>Each call maps memory for its duration. Threads: confined to one at a time.
 */
final class ManifestLog {
  private static final Logger LOGGER = System.getLogger(ManifestLog.class.getName());

  private static final String TEMPORARY_SUFFIX = ".tmp";

  /** A file is replaced when it is longer than this, and than a few times its first edit. */
  private static final long FILE_BYTES_MAX = 1 << 20;

  private static final int GROWTH_MAX = 4;

  private final IoEngine engine;
  private final Path path;
  private final long fileBytesMax;
  private Manifest current;
  private final long damagedOffset;

  /** The file that edits are appended to; null if the next one begins a new file. */
  private IoFile file;

  private long endOffset;
  private long snapshotBytes;

  /** Written by who appends. */
  private volatile boolean doubtful;

  private ManifestLog(
      IoEngine engine, Path path, long fileBytesMax, Manifest current, long damagedOffset) {
    this.engine = engine;
    this.path = path;
    this.fileBytesMax = fileBytesMax;
    this.current = current;
    this.damagedOffset = damagedOffset;
  }

  /** Creates the file with an empty manifest. */
  static void create(IoEngine engine, Path path) throws IOException {
    replace(engine, path, Manifest.EMPTY.edit());
  }

  /** Puts a file in the place of the one that may be there, with the sum of one edit. */
  static void replace(IoEngine engine, Path path, ManifestEdit edit) throws IOException {
    ManifestLog log = new ManifestLog(engine, path, 0, Manifest.EMPTY, -1);
    log.begin(Manifest.EMPTY.after(edit));
    log.close();
  }

  /** Copies a file, damaged or not, and fills it up with zeros. */
  static void copy(IoEngine engine, Path path, Path to) throws IOException {
    byte[] bytes = read(engine, path);
    try (IoFile file = engine.open(to, OpenMode.CREATE_NEW)) {
      if (bytes.length > 0) {
        write(file, 0, Arrays.copyOf(bytes, (int) padded(bytes.length)));
      }
      file.sync();
    }
  }

  /**
   * What a file that is damaged still says of tables.
   *
   * @param removed those that some edit has removed, and no later one added
   * @param cloned those that some edit has added in the file of another family, and no later one
   *     removed
   */
  record Remains(Set<Long> removed, Collection<TableMeta> cloned) {}

  /** Looks at what a file still says: for a repair. Edits that cannot be read are passed over. */
  static Remains remains(IoEngine engine, Path path) throws IOException {
    byte[] bytes = read(engine, path);
    Set<Long> removed = new HashSet<>();
    Map<Long, TableMeta> cloned = new TreeMap<>();
    Map<Integer, Set<Long>> ofFamilies = new HashMap<>();
    for (int offset = 0; offset < bytes.length; offset += ManifestFormat.FRAME_ALIGNMENT_BYTES) {
      if (ManifestFormat.frameBytes(bytes, offset) > 0) {
        ManifestEdit edit = ManifestFormat.decode(path, bytes, offset, engine.keys());
        removed.addAll(edit.removed());
        edit.dropped().forEach(family -> removed.addAll(ofFamilies.getOrDefault(family, Set.of())));
        for (ManifestEdit.Added added : edit.added()) {
          long number = added.meta().number();
          removed.remove(number);
          if (added.meta().isCloned()) {
            cloned.put(number, added.meta());
          }
          ofFamilies.computeIfAbsent(added.meta().family(), _ -> new HashSet<>()).add(number);
        }
      }
    }
    cloned.keySet().removeAll(removed);
    return new Remains(removed, cloned.values());
  }

  /** Reads the file and changes nothing. */
  static ManifestLog open(IoEngine engine, Path path) throws IOException {
    return open(engine, path, FILE_BYTES_MAX);
  }

  /** As {@link #open(IoEngine, Path)}, with another size at which a file is replaced. */
  static ManifestLog open(IoEngine engine, Path path, long fileBytesMax) throws IOException {
    return of(engine, path, fileBytesMax, read(engine, path));
  }

  /** What the bytes of a file say, of which the last edit may be written at this moment. */
  static Manifest parse(IoEngine engine, Path path, byte[] bytes) throws IOException {
    return of(engine, path, FILE_BYTES_MAX, bytes).current();
  }

  private static ManifestLog of(IoEngine engine, Path path, long fileBytesMax, byte[] bytes)
      throws IOException {
    Manifest manifest = Manifest.EMPTY;
    int offset = 0;
    for (int length = ManifestFormat.frameBytes(bytes, 0);
        length > 0;
        length = ManifestFormat.frameBytes(bytes, offset)) {
      ManifestEdit edit = ManifestFormat.decode(path, bytes, offset, engine.keys());
      try {
        manifest = manifest.after(edit);
      } catch (IllegalArgumentException e) {
        throw new CorruptFileException(path, offset, "an edit that fits", e.getMessage());
      }
      offset += length;
    }
    // A power cut leaves the last edit in part. Anything else is damage.
    for (int later = offset + ManifestFormat.FRAME_ALIGNMENT_BYTES;
        later < bytes.length;
        later += ManifestFormat.FRAME_ALIGNMENT_BYTES) {
      if (ManifestFormat.frameBytes(bytes, later) > 0) {
        throw new CorruptFileException(
            path, offset, "an edit", "damage before the edit at " + later);
      }
    }
    if (offset == 0) {
      throw new CorruptFileException(path, 0, "a manifest", bytes.length + " other bytes");
    }
    return new ManifestLog(
        engine, path, fileBytesMax, manifest, offset < bytes.length ? offset : -1);
  }

  /** The bytes of a file. */
  static byte[] read(IoEngine engine, Path path) throws IOException {
    try (IoFile file = engine.open(path, OpenMode.READ_ONLY)) {
      long sizeBytes = file.sizeBytes();
      if (sizeBytes > Integer.MAX_VALUE - ManifestFormat.FRAME_ALIGNMENT_BYTES) {
        throw new CorruptFileException(path, 0, "a manifest", sizeBytes + " bytes");
      }
      if (sizeBytes == 0) {
        return new byte[0];
      }
      try (Region region = map((int) padded(sizeBytes))) {
        int count = file.read(0, region, 0, (int) padded(sizeBytes));
        return region.segment().asSlice(0, count).toArray(ValueLayout.JAVA_BYTE);
      }
    }
  }

  private static long padded(long bytes) {
    return (bytes + ManifestFormat.FRAME_ALIGNMENT_BYTES - 1)
        & -ManifestFormat.FRAME_ALIGNMENT_BYTES;
  }

  /** The manifest as it is known to be durable. */
  Manifest current() {
    return current;
  }

  /**
   * Where the file has an end that could not be read when it was opened, or -1. A power cut during
   * an edit leaves that; but if the tables or the log do not fit, an edit was lost.
   */
  long damagedOffset() {
    return damagedOffset;
  }

  /**
   * Whether an edit that failed may be found after a crash, whole. Until the next edit succeeds
   * nothing that it names may be deleted, and nothing that it removes.
   */
  boolean isDoubtful() {
    return doubtful;
  }

  /** Makes an edit durable. After an exception {@link #current} is as it was. */
  void append(ManifestEdit edit) throws IOException {
    Manifest next = current.after(edit);
    if (file == null || endOffset > Math.max(fileBytesMax, GROWTH_MAX * snapshotBytes)) {
      begin(next);
    } else {
      extend(edit);
    }
    current = next;
  }

  private void extend(ManifestEdit edit) throws IOException {
    byte[] frame = ManifestFormat.encode(edit, endOffset, engine.keys(), path);
    try {
      write(file, endOffset, frame);
      file.sync();
    } catch (IOException | RuntimeException | Error e) {
      undo(e);
      throw e;
    }
    endOffset += frame.length;
  }

  /** Removes what a failed write may have left, and gives the file up. */
  private void undo(Throwable failure) {
    try {
      file.truncate(endOffset);
      file.sync();
    } catch (IOException | RuntimeException e) {
      doubtful = true;
      failure.addSuppressed(e);
    }
    close();
  }

  /** Writes a new file and puts it in the place of the old one. */
  private void begin(Manifest next) throws IOException {
    close();
    Path temporary = path.resolveSibling(path.getFileName() + TEMPORARY_SUFFIX);
    if (engine.exists(temporary)) {
      engine.delete(temporary);
    }
    byte[] frame = ManifestFormat.encode(next.snapshot(), 0, engine.keys(), path);
    IoFile created = engine.open(temporary, OpenMode.CREATE_NEW);
    try {
      write(created, 0, frame);
      created.sync();
      doubtful = true;
      engine.rename(temporary, path);
      engine.syncDirectory(path.getParent());
      doubtful = false;
    } catch (IOException | RuntimeException | Error e) {
      abandon(created, temporary, e);
      throw e;
    }
    file = created;
    endOffset = frame.length;
    snapshotBytes = frame.length;
  }

  private void abandon(IoFile created, Path temporary, Throwable failure) {
    try {
      created.close();
      if (engine.exists(temporary)) {
        engine.delete(temporary);
      }
    } catch (IOException | RuntimeException e) {
      failure.addSuppressed(e);
    }
  }

  private static void write(IoFile file, long offset, byte[] bytes) throws IOException {
    try (Region region = map(bytes.length)) {
      MemorySegment.copy(bytes, 0, region.segment(), ValueLayout.JAVA_BYTE, 0, bytes.length);
      file.write(offset, region, 0, bytes.length);
    }
  }

  private static Region map(int sizeBytes) {
    return Region.map(
        MemoryBudget.root("manifest", Region.SIZE_BYTES_MAX),
        RegionOptions.ofSize(sizeBytes).withHugePages(HugePages.OFF));
  }

  /** Closes the file. What was appended is durable already. */
  void close() {
    IoFile closing = file;
    file = null;
    if (closing != null) {
      try {
        closing.close();
      } catch (IOException e) {
        LOGGER.log(Logger.Level.WARNING, "cannot close the manifest: path=" + path, e);
      }
    }
  }
}
