package io.ewok.gds.lsm;

/**
 * A family of a {@link ReadOnlyStore}: as it was when that was opened or refreshed last.
 *
 * <p>Ownership: none; it is closed with its store. Threads: any.
 *
 * <p>Errors: {@link IllegalStateException} after the store's close, and once a refresh has found
 * that the family is dropped.
 */
public sealed class ReadOnlyFamily extends ReadView permits ReadOnlyStore {
  private final VersionSet versions;

  ReadOnlyFamily(StoreParts parts, FamilyState family) {
    super(parts.versions, parts.counters, family);
    this.versions = parts.versions;
  }

  /** Returns its name. */
  public final String name() {
    return family().name();
  }

  /** Returns its number, which no other family of the store ever has; 0 is the default one. */
  public final int id() {
    return family().id();
  }

  @Override
  final long visibleSequence() {
    return versions.sequence();
  }

  @Override
  final long expiryFloor() {
    return family().expiration().floor();
  }
}
