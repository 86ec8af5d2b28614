package io.ewok.gds.pagestore.sim;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * The directories of the simulation: which names lead to files now, and which would after a power
 * cut. Paths are absolute and normalized. Guarded by the engine's lock.
 */
final class SimNames {
  /**
   * A change that no directory sync has made durable yet.
   *
   * @param from the name that goes, or null
   * @param to the name that comes, or null
   * @param node what {@code to} leads to
   */
  private record Change(Path from, Path to, SimNode node) {
    boolean isIn(Set<Path> directories) {
      return (from != null && directories.contains(from.getParent()))
          || (to != null && directories.contains(to.getParent()));
    }

    boolean touches(Set<Path> names) {
      return (from != null && names.contains(from)) || (to != null && names.contains(to));
    }

    void addNames(Set<Path> names) {
      if (from != null) {
        names.add(from);
      }
      if (to != null) {
        names.add(to);
      }
    }

    void apply(Map<Path, SimNode> files) {
      if (from != null) {
        files.remove(from);
      }
      if (to != null) {
        files.put(to, node);
      }
    }
  }

  /** Durable as soon as created, as {@code IoEngine.createDirectories} promises. */
  private final Set<Path> directories = new TreeSet<>();

  private final Map<Path, SimNode> files = new TreeMap<>();
  private final Map<Path, SimNode> durableFiles = new TreeMap<>();
  private final List<Change> pending = new ArrayList<>();

  boolean isDirectory(Path path) {
    return path.getParent() == null || directories.contains(path);
  }

  void createDirectory(Path path) {
    directories.add(path);
  }

  void deleteDirectory(Path path) {
    directories.remove(path);
  }

  SimNode file(Path path) {
    return files.get(path);
  }

  Collection<SimNode> files() {
    return files.values();
  }

  List<Path> entries(Path directory) {
    List<Path> entries = new ArrayList<>();
    for (Set<Path> names : List.of(directories, files.keySet())) {
      for (Path path : names) {
        if (directory.equals(path.getParent())) {
          entries.add(path);
        }
      }
    }
    return entries;
  }

  void create(Path path, SimNode node) {
    change(new Change(null, path, node));
  }

  void rename(Path from, Path to) {
    change(new Change(from, to, files.get(from)));
  }

  void delete(Path path) {
    change(new Change(path, null, null));
  }

  private void change(Change change) {
    change.apply(files);
    pending.add(change);
  }

  /** Makes the changes in a directory durable, and those that renames tie to them. */
  void sync(Path directory) {
    Set<Path> tied = new HashSet<>(Set.of(directory));
    boolean grown;
    do {
      grown = false;
      for (Change change : pending) {
        if (change.isIn(tied) && change.from() != null && change.to() != null) {
          grown |= tied.addAll(Arrays.asList(change.from().getParent(), change.to().getParent()));
        }
      }
    } while (grown);
    for (Change change : List.copyOf(pending)) {
      if (change.isIn(tied)) {
        change.apply(durableFiles);
        pending.remove(change);
      }
    }
  }

  /**
   * Returns one state that a power cut now could leave: each change is kept or lost, changes of one
   * name in their order.
   */
  SimNames crashed(SplittableRandom random, SimTears tears) {
    SimNames after = new SimNames();
    after.directories.addAll(directories);
    Map<Path, SimNode> left = new TreeMap<>(durableFiles);
    Set<Path> stuck = new HashSet<>();
    for (Change change : pending) {
      boolean kept = random.nextBoolean() && !change.touches(stuck);
      if (kept) {
        change.apply(left);
      } else {
        change.addNames(stuck);
      }
    }
    left.forEach(
        (path, node) -> {
          SimNode nodeAfter = node.crashed(random, tears);
          after.files.put(path, nodeAfter);
          after.durableFiles.put(path, nodeAfter);
        });
    return after;
  }
}
