package io.ewok.gds.bench.kv;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.lmdbjava.Cursor;
import org.lmdbjava.Dbi;
import org.lmdbjava.DbiFlags;
import org.lmdbjava.Env;
import org.lmdbjava.EnvFlags;
import org.lmdbjava.GetOp;
import org.lmdbjava.SeekOp;
import org.lmdbjava.Txn;

/**
 * LMDB: one read transaction a thread, renewed for each operation; one write transaction a put or
 * batch. Its cache is the kernel's, as large as memory.
 */
final class LmdbKvStore implements KvStore {
  private static final long MAP_BYTES_MIN = 1L << 30;
  private static final int READERS = 126;

  private final Env<ByteBuffer> env;
  private final Dbi<ByteBuffer> records;

  /** Null without families. */
  private final Dbi<ByteBuffer> counters;

  private final Dbi<ByteBuffer> second;

  LmdbKvStore(Path directory, KvSettings settings) {
    List<EnvFlags> flags = new ArrayList<>(List.of(EnvFlags.MDB_NOTLS, EnvFlags.MDB_NOMEMINIT));
    if (!settings.synced()) {
      flags.add(EnvFlags.MDB_NOSYNC);
    }
    env =
        Env.create()
            .setMapSize(Math.max(MAP_BYTES_MIN, 10L * settings.entries() * KvData.RECORD_BYTES))
            .setMaxReaders(READERS)
            .setMaxDbs(settings.families() ? 3 : 1)
            .open(directory.toFile(), flags.toArray(EnvFlags[]::new));
    records = env.openDbi("records", DbiFlags.MDB_CREATE);
    counters = settings.families() ? env.openDbi("counters", DbiFlags.MDB_CREATE) : null;
    second = settings.families() ? env.openDbi("second", DbiFlags.MDB_CREATE) : null;
  }

  @Override
  public KvSession session(KvBuffers buffers) {
    return new Session(buffers);
  }

  /** It does nothing in the background. */
  @Override
  public void settle() {}

  @Override
  public void close() {
    env.close();
  }

  private final class Session implements KvSession {
    private final ByteBuffer key;
    private final ByteBuffer value;
    private final ByteBuffer number =
        ByteBuffer.allocateDirect(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private final Txn<ByteBuffer> reading;
    private Txn<ByteBuffer> batch;
    private Cursor<ByteBuffer> cursor;

    Session(KvBuffers buffers) {
      key = buffers.keyBytes;
      value = buffers.valueBytes;
      reading = env.txnRead();
      reading.reset();
    }

    @Override
    public void put() {
      key.clear();
      value.clear();
      if (batch != null) {
        records.put(batch, key, value);
      } else {
        try (Txn<ByteBuffer> writing = env.txnWrite()) {
          records.put(writing, key, value);
          writing.commit();
        }
      }
    }

    @Override
    public void beginBatch() {
      batch = env.txnWrite();
    }

    @Override
    public void endBatch() {
      batch.commit();
      batch.close();
      batch = null;
    }

    @Override
    public int get() {
      return get(records);
    }

    private int get(Dbi<ByteBuffer> from) {
      key.clear();
      reading.renew();
      try {
        ByteBuffer found = from.get(reading, key);
        if (found == null) {
          return -1;
        }
        int length = found.remaining();
        value.put(0, found, 0, length);
        return length;
      } finally {
        reading.reset();
      }
    }

    @Override
    public void putSecond() {
      key.clear();
      value.clear();
      second.put(batch, key, value);
    }

    @Override
    public int getSecond() {
      return get(second);
    }

    /** It has but one kind of deletes. */
    @Override
    public void singleDelete() {
      key.clear();
      try (Txn<ByteBuffer> writing = env.txnWrite()) {
        records.delete(writing, key);
        writing.commit();
      }
    }

    /** One after the other: it has no deletes of ranges. */
    @Override
    public void deleteRange(KvBuffers end) {
      key.clear();
      long endSlot = end.keyBytes.getLong(0);
      try (Txn<ByteBuffer> writing = env.txnWrite()) {
        try (Cursor<ByteBuffer> deleting = records.openCursor(writing)) {
          boolean valid = deleting.get(key, GetOp.MDB_SET_RANGE);
          while (valid && deleting.key().order(ByteOrder.BIG_ENDIAN).getLong(0) < endSlot) {
            deleting.delete();
            valid = deleting.next(); // what has come into the place of the deleted one
          }
        }
        writing.commit();
      }
    }

    @Override
    public void add(long added) {
      key.clear();
      try (Txn<ByteBuffer> writing = env.txnWrite()) {
        number.clear().putLong(0, added + number(counters.get(writing, key)));
        counters.put(writing, key, number);
        writing.commit();
      }
    }

    @Override
    public long counter() {
      key.clear();
      reading.renew();
      try {
        return number(counters.get(reading, key));
      } finally {
        reading.reset();
      }
    }

    private static long number(ByteBuffer foundOrNull) {
      return foundOrNull == null ? 0 : foundOrNull.order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    }

    @Override
    public void beginScan() {
      reading.renew();
      if (cursor == null) {
        cursor = records.openCursor(reading);
      } else {
        cursor.renew(reading);
      }
    }

    @Override
    public boolean first() {
      return cursor.seek(SeekOp.MDB_FIRST);
    }

    @Override
    public boolean last() {
      return cursor.seek(SeekOp.MDB_LAST);
    }

    @Override
    public boolean seek() {
      key.clear();
      return cursor.get(key, GetOp.MDB_SET_RANGE);
    }

    @Override
    public boolean next() {
      return cursor.next();
    }

    @Override
    public boolean previous() {
      return cursor.prev();
    }

    @Override
    public long keyHead() {
      return cursor.key().order(ByteOrder.BIG_ENDIAN).getLong(0);
    }

    @Override
    public long valueHead() {
      return cursor.val().order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    }

    @Override
    public void endScan() {
      reading.reset();
    }

    @Override
    public void close() {
      if (cursor != null) {
        cursor.close();
      }
      reading.close();
    }
  }
}
