/**
 * Reads what RocksDB and LevelDB have written, so that it can be imported into a store: tables in
 * their block-based format of all versions to 7, and databases, which are tables, a manifest and
 * write-ahead logs.
 *
 * <p>It writes nothing, and opens no database: what it finds is what these files say. There is no
 * access by key, only {@link io.ewok.gds.lsm.sst.SstImport}, once through everything.
 *
 * <p>The formats are those of LevelDB's {@code doc/table_format.md}, {@code doc/log_format.md} and
 * {@code doc/impl.md}, and of RocksDB's wiki ("Rocksdb BlockBasedTable Format", "Write Ahead Log
 * File Format", "MANIFEST") and the sources that {@code SstFormat}, {@code SstFooter}, {@code
 * LogFile}, {@code LogBatches} and {@code VersionEdit} name. All that they say is checked: blocks
 * by their checksums, sizes before memory is allocated, and the order of keys and blocks, so that a
 * hostile file ends in an exception.
 *
 * <p>Threads: everything is confined to one at a time. No argument may be null.
 *
 * {@snippet :
 * try (SstImport source = SstImport.ofTables(List.of(Path.of("000012.sst")))) {
 *   while (source.next()) {
 *     use(source.key(), source.valueOrNull());
 *   }
 * }
 * }
 */
package io.ewok.gds.lsm.sst;
