package io.ewok.gds.lsm;

import java.util.Collection;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The families of an open store.
 *
 * <p>Threads: any; one at a time changes them.
 */
final class Families {
  private final FamilyState main;

  /** By number. */
  private volatile SortedMap<Integer, FamilyState> all = Collections.emptySortedMap();

  Families(FamilyState main) {
    this.main = main;
    add(main);
  }

  /** The default family. */
  FamilyState main() {
    return main;
  }

  /** All, in the order of their numbers. */
  Collection<FamilyState> all() {
    return all.values();
  }

  /** The one with a number, or null. */
  FamilyState find(int id) {
    return all.get(id);
  }

  /** The one with a name, or null. */
  FamilyState find(String name) {
    for (FamilyState family : all.values()) {
      if (family.name().equals(name)) {
        return family;
      }
    }
    return null;
  }

  /** Whether one is of this store, dropped or not. */
  boolean isOwn(FamilyState family) {
    return family.isDropped() || all.get(family.id()) == family;
  }

  void add(FamilyState family) {
    SortedMap<Integer, FamilyState> more = new TreeMap<>(all);
    more.put(family.id(), family);
    all = Collections.unmodifiableSortedMap(more);
  }

  void remove(FamilyState family) {
    SortedMap<Integer, FamilyState> fewer = new TreeMap<>(all);
    fewer.remove(family.id());
    all = Collections.unmodifiableSortedMap(fewer);
  }
}
