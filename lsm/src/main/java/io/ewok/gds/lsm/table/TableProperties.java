package io.ewok.gds.lsm.table;

import io.ewok.gds.ffm.unchecked.Memory;
import io.ewok.gds.lsm.Compression;
import io.ewok.gds.lsm.record.RecordKind;

/**
 * What a table's footer says of it.
 *
 * @param family number of the family that the records are of
 * @param entries records
 * @param deletes those of them that are deletes
 * @param firstSequence smallest sequence number, range deletes included
 * @param lastSequence greatest sequence number, likewise
 * @param keyBytes of all keys, in bytes
 * @param valueBytes of all values, in bytes
 * @param dataBlocks how many data blocks there are
 * @param dataBytes what they are when decompressed, in bytes
 * @param dataStoredBytes what they are as stored, in bytes
 * @param indexBytes partitions of the index as stored, in bytes
 * @param filterBytes filters as stored, in bytes
 * @param partitions of the index
 * @param compression what was asked for
 * @param filterBitsPerKey 0 if there are no filters
 * @param filterPrefixBytes length of the prefixes that are in the filters too; 0 if none are
 */
public record TableProperties(
    int family,
    long entries,
    long deletes,
    long firstSequence,
    long lastSequence,
    long keyBytes,
    long valueBytes,
    long dataBlocks,
    long dataBytes,
    long dataStoredBytes,
    long indexBytes,
    long filterBytes,
    int partitions,
    Compression compression,
    int filterBitsPerKey,
    int filterPrefixBytes) {

  /** Reads them from a footer whose compression is known; see {@link BlockCodec#compression}. */
  static TableProperties read(long footer) {
    return new TableProperties(
        Memory.getInt(footer + TableFormat.FAMILY_OFFSET),
        Memory.getLong(footer + TableFormat.ENTRIES_OFFSET),
        Memory.getLong(footer + TableFormat.DELETES_OFFSET),
        Memory.getLong(footer + TableFormat.FIRST_SEQUENCE_OFFSET),
        Memory.getLong(footer + TableFormat.LAST_SEQUENCE_OFFSET),
        Memory.getLong(footer + TableFormat.KEY_BYTES_OFFSET),
        Memory.getLong(footer + TableFormat.VALUE_BYTES_OFFSET),
        Memory.getLong(footer + TableFormat.DATA_BLOCKS_OFFSET),
        Memory.getLong(footer + TableFormat.DATA_LENGTH_OFFSET),
        Memory.getLong(footer + TableFormat.DATA_STORED_OFFSET),
        Memory.getLong(footer + TableFormat.INDEX_BYTES_OFFSET),
        Memory.getLong(footer + TableFormat.FILTER_BYTES_OFFSET),
        Memory.getInt(footer + TableFormat.PARTITIONS_OFFSET),
        BlockCodec.compression(Memory.getByte(footer + TableFormat.ASKED_COMPRESSION_OFFSET)),
        Byte.toUnsignedInt(Memory.getByte(footer + TableFormat.FILTER_BITS_OFFSET)),
        Short.toUnsignedInt(Memory.getShort(footer + TableFormat.FILTER_PREFIX_OFFSET)));
  }

  /** Whether a table that was written with this layout would be the same but for its blocks. */
  public boolean fits(TableLayout layout) {
    return compression == layout.compression()
        && filterBitsPerKey == layout.filterBitsPerKey()
        && filterPrefixBytes == layout.filterPrefixBytes();
  }

  /** Writes them into a footer of zeros, with what every footer has. */
  void put(long footer, long number, int version) {
    Memory.putByte(footer + TableFormat.TYPE_OFFSET, (byte) TableFormat.TYPE_FOOTER);
    Memory.putInt(footer + TableFormat.FAMILY_OFFSET, family);
    Memory.putLong(footer + TableFormat.MAGIC_OFFSET, TableFormat.MAGIC);
    Memory.putInt(footer + TableFormat.VERSION_OFFSET, version);
    Memory.putLong(footer + TableFormat.NUMBER_OFFSET, number);
    Memory.putLong(footer + TableFormat.ENTRIES_OFFSET, entries);
    Memory.putLong(footer + TableFormat.DELETES_OFFSET, deletes);
    Memory.putLong(footer + TableFormat.FIRST_SEQUENCE_OFFSET, firstSequence);
    Memory.putLong(footer + TableFormat.LAST_SEQUENCE_OFFSET, lastSequence);
    Memory.putLong(footer + TableFormat.KEY_BYTES_OFFSET, keyBytes);
    Memory.putLong(footer + TableFormat.VALUE_BYTES_OFFSET, valueBytes);
    Memory.putLong(footer + TableFormat.DATA_BLOCKS_OFFSET, dataBlocks);
    Memory.putLong(footer + TableFormat.DATA_LENGTH_OFFSET, dataBytes);
    Memory.putLong(footer + TableFormat.DATA_STORED_OFFSET, dataStoredBytes);
    Memory.putLong(footer + TableFormat.INDEX_BYTES_OFFSET, indexBytes);
    Memory.putLong(footer + TableFormat.FILTER_BYTES_OFFSET, filterBytes);
    Memory.putInt(footer + TableFormat.PARTITIONS_OFFSET, partitions);
    Memory.putByte(
        footer + TableFormat.ASKED_COMPRESSION_OFFSET, (byte) BlockCodec.number(compression));
    Memory.putByte(footer + TableFormat.FILTER_BITS_OFFSET, (byte) filterBitsPerKey);
    Memory.putShort(footer + TableFormat.FILTER_PREFIX_OFFSET, (short) filterPrefixBytes);
  }

  /** Counts while a table is written. */
  static final class Counts {
    long entries;
    long deletes;
    long firstSequence = RecordKind.SEQUENCE_MAX;
    long lastSequence;

    /** Greatest sequence number of the records alone. */
    long newestRecord;

    long keyBytes;
    long valueBytes;
    long dataBlocks;
    long dataBytes;
    long dataStoredBytes;
    long indexBytes;
    long filterBytes;
    int partitions;

    void add(long stamp, int recordKeyBytes, int recordValueBytes) {
      entries++;
      if (RecordKind.isDelete(RecordKind.kind(stamp))) {
        deletes++;
      }
      long sequence = RecordKind.sequence(stamp);
      addSequence(sequence);
      newestRecord = Math.max(newestRecord, sequence);
      keyBytes += recordKeyBytes;
      valueBytes += recordValueBytes;
    }

    void addSequence(long sequence) {
      firstSequence = Math.min(firstSequence, sequence);
      lastSequence = Math.max(lastSequence, sequence);
    }

    TableProperties properties(int family, TableLayout layout) {
      return new TableProperties(
          family,
          entries,
          deletes,
          firstSequence,
          lastSequence,
          keyBytes,
          valueBytes,
          dataBlocks,
          dataBytes,
          dataStoredBytes,
          indexBytes,
          filterBytes,
          partitions,
          layout.compression(),
          layout.filterBitsPerKey(),
          layout.filterPrefixBytes());
    }
  }
}
