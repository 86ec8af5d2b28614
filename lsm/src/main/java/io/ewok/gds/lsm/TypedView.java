package io.ewok.gds.lsm;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Objects;

/**
 * What can be read, with objects as keys and values: a {@link ReadView} behind two {@link Codec}s.
 *
 * <p>Ownership: none of the view, which whoever opened it closes. Threads: any. Errors: as the
 * view's, and what a codec throws.
 *
 * @param <K> type of the keys
 * @param <V> type of the values
 */
public sealed class TypedView<K, V> permits TypedStore {
  private final ReadView view;
  final Codec<K> keys;
  final Codec<V> values;

  TypedView(ReadView view, Codec<K> keys, Codec<V> values) {
    this.view = Objects.requireNonNull(view, "view");
    this.keys = Objects.requireNonNull(keys, "keys");
    this.values = Objects.requireNonNull(values, "values");
  }

  /** Returns the value of a key, or null if it has none. */
  public final V get(K key) throws IOException {
    try (PinnedValue found = new PinnedValue()) {
      byte[] wanted = keys.encode(key);
      return view.get(MemorySegment.ofArray(wanted), found) ? values.decode(found.segment()) : null;
    }
  }

  /** Returns a cursor on all records. It is not on a record yet. */
  public final TypedCursor<K, V> cursor() {
    return new TypedCursor<>(view.cursor(), keys, values);
  }

  /**
   * Returns a cursor on the records between two keys. It is not on a record yet.
   *
   * @param lowerOrNull where they begin, itself included; null: with the first
   * @param upperOrNull where they end, itself not included; null: after the last
   */
  public final TypedCursor<K, V> cursor(K lowerOrNull, K upperOrNull) {
    CursorOptions options = CursorOptions.defaults();
    if (lowerOrNull != null) {
      options = options.withLower(keys.encode(lowerOrNull));
    }
    if (upperOrNull != null) {
      options = options.withUpper(keys.encode(upperOrNull));
    }
    return new TypedCursor<>(view.cursor(options), keys, values);
  }
}
