package io.ewok.gds.buffers.redo;

import io.ewok.gds.buffers.Fix;
import io.ewok.gds.buffers.PageFormat;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/**
 * A page that a {@link Change} has fixed exclusively. It is changed by operations, which are done
 * at once and remembered for the log.
 *
 * <p>Ownership: the change's, which unfixes it and uses the object again; not to be used after the
 * change was committed or rolled back.
 *
 * <p>Threads: that of the change.
 *
 * {@snippet :
 * page.write(64, value); // bytes at an offset
 * page.apply(INSERT, item); // whatever the caller's PageRedo does for INSERT
 * }
 */
public final class ChangedPage {
  final Fix fix = new Fix();

  private final PageRedo redo;
  private final RedoBuffer operations = new RedoBuffer();

  private LoggedFile file;
  private boolean created;
  private boolean givenBack;

  /** An operation failed, perhaps half way. */
  private boolean broken;

  /** What the page was before the first operation, once {@link #saved}. */
  private MemorySegment before = MemorySegment.NULL;

  private boolean saved;

  ChangedPage(PageRedo redo) {
    this.redo = redo;
  }

  /** The page number. */
  public long number() {
    return fix.number();
  }

  /** The page with what was changed so far, read-only. */
  public MemorySegment segment() {
    return fix.segment().asReadOnly();
  }

  /**
   * Does one of the caller's operations.
   *
   * @param code 0 to 199
   * @param arguments what {@link PageRedo#apply} gets, at most 16,777,215 bytes, copied
   * @throws RuntimeException if {@link PageRedo#apply} does; then the change can only be rolled
   *     back
   */
  public void apply(int code, MemorySegment arguments) {
    if (code < 0 || code > RedoFormat.CALLERS_CODE_MAX) {
      throw new IllegalArgumentException(
          "an operation of the caller's has a code of 0 to 199: code=" + code);
    }
    prepare();
    int at = RedoFormat.addOperation(operations, code, arguments.byteSize());
    MemorySegment.copy(arguments, 0, operations.segment(), at, arguments.byteSize());
    run(code, at);
  }

  /**
   * Writes bytes at an offset of the page.
   *
   * @param offset at least {@link PageFormat#HEADER_BYTES}
   * @throws IndexOutOfBoundsException if they do not fit between the header and the end
   */
  public void write(int offset, MemorySegment bytes) {
    int room = (int) fix.segment().byteSize() - PageFormat.HEADER_BYTES;
    Objects.checkFromIndexSize(offset - PageFormat.HEADER_BYTES, bytes.byteSize(), room);
    prepare();
    int at =
        RedoFormat.addOperation(operations, RedoFormat.WRITE, Integer.BYTES + bytes.byteSize());
    operations.segment().set(RedoFormat.INT, at, offset);
    MemorySegment.copy(bytes, 0, operations.segment(), at + Integer.BYTES, bytes.byteSize());
    run(RedoFormat.WRITE, at);
  }

  LoggedFile file() {
    return file;
  }

  boolean isChanged() {
    return operations.length() > 0;
  }

  MemorySegment operations() {
    return operations.content();
  }

  /** Begins with a page that was just fixed, or created. */
  void begin(LoggedFile file, boolean created) {
    this.file = file;
    this.created = created;
    givenBack = false;
    broken = false;
    saved = false;
    operations.clear();
    if (created) {
      RedoFormat.addOperation(operations, RedoFormat.MAKE_EMPTY, 0);
    }
  }

  void giveBack() {
    requireUsable();
    if ((PageFormat.flags(fix.segment()) & PageFormat.FLAG_FREE) != 0) {
      throw new IllegalStateException("the page is free already: page=" + number());
    }
    operations.clear();
    RedoFormat.addOperation(operations, RedoFormat.GIVE_BACK, 0);
    givenBack = true;
  }

  /** Ends with the page changed, logged up to a position. */
  void commit(long lsn) {
    if (givenBack) {
      file.pages().free(fix, lsn);
    } else if (isChanged()) {
      fix.markDirty(lsn);
    }
    fix.unfix();
  }

  /** Ends with the page as it was. */
  void rollBack() {
    if (created) {
      file.pages().free(fix, 0);
    } else if (saved) {
      fix.segment().copyFrom(before);
    }
    fix.unfix();
  }

  /**
   * Whether redo would make of the page before what the page is now. What precedes the bounds of
   * the free space in the header is not the caller's.
   */
  boolean canBeRedone() {
    if (!saved || givenBack) {
      return true;
    }
    MemorySegment page = fix.segment();
    MemorySegment again = MemorySegment.ofArray(before.toArray(ValueLayout.JAVA_BYTE));
    RedoFormat.applyAll(redo, file.pages().pageSize(), again, operations());
    long from = PageFormat.HEADER_BYTES - 3 * Short.BYTES;
    return MemorySegment.mismatch(page, from, page.byteSize(), again, from, page.byteSize()) < 0;
  }

  /** Throws if an operation failed, perhaps half way. */
  void requireWhole() {
    if (broken) {
      throw new IllegalStateException(
          "an operation failed, the change can only be rolled back: page=" + number());
    }
  }

  private void prepare() {
    requireUsable();
    if (!saved) {
      MemorySegment page = fix.segment();
      if (before.byteSize() != page.byteSize()) {
        before = MemorySegment.ofArray(new byte[(int) page.byteSize()]);
      }
      before.copyFrom(page);
      saved = true;
    }
  }

  private void run(int code, int argumentsAt) {
    MemorySegment arguments =
        operations.segment().asSlice(argumentsAt, operations.length() - argumentsAt);
    broken = true;
    RedoFormat.apply(redo, file.pages().pageSize(), fix.segment(), code, arguments);
    broken = false;
  }

  private void requireUsable() {
    if (givenBack) {
      throw new IllegalStateException("the change gives this page back: page=" + number());
    }
    requireWhole();
  }
}
