package io.ewok.gds.cli.trace;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteOrder;

/** The formats that traces come in. */
public enum TraceFormat {
  /**
   * Text, a request a line: first block, number of blocks, and what does not matter, separated by
   * blanks. A block has 512 bytes.
   */
  ARC,

  /**
   * CSV with a header: {@code lbn} is the first block of 512 bytes of a request, {@code size} its
   * length in bytes. Other columns do not matter.
   */
  CSV,

  /** Text, a key a line: a decimal number. Lines that are none are skipped. */
  KEYS,

  /** Binary keys of 32 bits, little-endian. */
  U32LE,

  /** Binary keys of 32 bits, big-endian. */
  U32BE,

  /** Binary keys of 64 bits, big-endian. */
  U64BE;

  /** What a block of {@link #ARC} and {@link #CSV} has. */
  public static final int BLOCK_BYTES = 512;

  /** Whether a request is for blocks, several at once; otherwise it is for one key. */
  public boolean hasBlocks() {
    return this == ARC || this == CSV;
  }

  /** Whether it is lines that a person can read. */
  public boolean isText() {
    return hasBlocks() || this == KEYS;
  }

  /**
   * Reads all requests of a trace.
   *
   * @param in what is in the file, not compressed; left open
   * @param name of the input, for messages
   * @return how many lines were skipped, which only {@link #KEYS} does
   * @throws TraceFormatException if something is not of this format; all before it was consumed
   */
  public long read(InputStream in, String name, RequestConsumer consumer) throws IOException {
    switch (this) {
      case ARC -> BlockLines.read(new TextLines(in, name), consumer);
      case CSV -> BlockRecords.read(in, name, consumer);
      case KEYS -> {
        return KeyLines.read(new TextLines(in, name), consumer);
      }
      case U32LE -> BinaryKeys.read(in, name, Integer.BYTES, ByteOrder.LITTLE_ENDIAN, consumer);
      case U32BE -> BinaryKeys.read(in, name, Integer.BYTES, ByteOrder.BIG_ENDIAN, consumer);
      case U64BE -> BinaryKeys.read(in, name, Long.BYTES, ByteOrder.BIG_ENDIAN, consumer);
    }
    return 0;
  }
}
