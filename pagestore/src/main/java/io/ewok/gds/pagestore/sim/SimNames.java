package io.ewok.gds.pagestore.sim;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
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
  /** What names lead to: files, and directories. */
  private static final class Entries {
    final Set<Path> directories = new TreeSet<>();
    final Map<Path, SimNode> files = new TreeMap<>();

    void addAll(Entries others) {
      directories.addAll(others.directories);
      files.putAll(others.files);
    }

    void move(Path from, Path to) {
      for (Path path : List.copyOf(directories)) {
        if (path.startsWith(from)) {
          directories.remove(path);
          directories.add(moved(path, from, to));
        }
      }
      for (Path path : List.copyOf(files.keySet())) {
        if (path.startsWith(from)) {
          files.put(moved(path, from, to), files.remove(path));
        }
      }
    }
  }

  private static Path moved(Path pathOrNull, Path from, Path to) {
    return pathOrNull == null || !pathOrNull.startsWith(from)
        ? pathOrNull
        : to.resolve(from.relativize(pathOrNull)).normalize();
  }

  /**
   * A change that no directory sync has made durable yet.
   *
   * @param from the name that goes, or null
   * @param to the name that comes, or null
   * @param node what {@code to} leads to; null if a directory is renamed
   */
  private record Change(Path from, Path to, SimNode node) {
    boolean isOfDirectory() {
      return to != null && node == null;
    }

    boolean isBelow(Path directory) {
      return (from != null && from.startsWith(directory))
          || (to != null && to.startsWith(directory));
    }

    Change moved(Path before, Path after) {
      return new Change(
          SimNames.moved(from, before, after), SimNames.moved(to, before, after), node);
    }

    boolean isIn(Set<Path> directories) {
      return (from != null && directories.contains(from.getParent()))
          || (to != null && directories.contains(to.getParent()));
    }

    boolean touches(Set<Path> names) {
      return names.stream().anyMatch(this::isBelow);
    }

    void addNames(Set<Path> names) {
      if (from != null) {
        names.add(from);
      }
      if (to != null) {
        names.add(to);
      }
    }

    void apply(Entries entries) {
      if (isOfDirectory()) {
        entries.move(from, to);
        return;
      }
      Map<Path, SimNode> files = entries.files;
      if (from != null) {
        files.remove(from);
      }
      if (to != null) {
        files.put(to, node);
      }
    }
  }

  private final Entries now = new Entries();

  /** Directories are in it as soon as created, as {@code IoEngine.createDirectories} promises. */
  private final Entries durable = new Entries();

  private final List<Change> pending = new ArrayList<>();

  boolean isDirectory(Path path) {
    return path.getParent() == null || now.directories.contains(path);
  }

  void createDirectory(Path path) {
    now.directories.add(path);
    durable.directories.add(durableName(path));
  }

  void deleteDirectory(Path path) {
    now.directories.remove(path);
    durable.directories.remove(durableName(path));
  }

  /** What a name is as long as no renaming of a directory is durable that is not yet. */
  private Path durableName(Path path) {
    Path name = path;
    for (Change change : pending.reversed()) {
      if (change.isOfDirectory()) {
        name = moved(name, change.to(), change.from());
      }
    }
    return name;
  }

  SimNode file(Path path) {
    return now.files.get(path);
  }

  Collection<SimNode> files() {
    return now.files.values();
  }

  List<Path> entries(Path directory) {
    List<Path> entries = new ArrayList<>();
    for (Set<Path> names : List.of(now.directories, now.files.keySet())) {
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
    change(new Change(from, to, now.files.get(from)));
  }

  /** What {@code to} is, if it is there, is an empty directory. */
  void renameDirectory(Path from, Path to) {
    if (isDirectory(to)) {
      deleteDirectory(to);
    }
    change(new Change(from, to, null));
  }

  void delete(Path path) {
    change(new Change(path, null, null));
  }

  private void change(Change change) {
    change.apply(now);
    pending.add(change);
  }

  /**
   * Makes the changes in a directory durable, and those that renames tie to them. What was changed
   * below a directory since that was renamed becomes durable with a sync after that of its name.
   */
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
    List<Path> renamed = new ArrayList<>();
    for (int i = 0; i < pending.size(); ) {
      Change change = pending.get(i);
      if (change.isIn(tied) && renamed.stream().noneMatch(change::isBelow)) {
        change.apply(durable);
        pending.remove(i);
        if (change.isOfDirectory()) {
          // What was changed in it before is still pending, under its new name.
          pending.subList(0, i).replaceAll(before -> before.moved(change.from(), change.to()));
        }
        continue;
      }
      if (change.isOfDirectory()) {
        renamed.add(change.to());
      }
      i++;
    }
  }

  /**
   * Returns one state that a power cut now could leave: each change is kept or lost, changes of one
   * name in their order.
   */
  SimNames crashed(SplittableRandom random, SimTears tears) {
    SimNames after = new SimNames();
    Entries left = new Entries();
    left.addAll(durable);
    Set<Path> stuck = new HashSet<>();
    for (Change change : pending) {
      boolean kept = random.nextBoolean() && !change.touches(stuck);
      if (kept) {
        change.apply(left);
      } else {
        change.addNames(stuck);
      }
    }
    Map<SimNode, SimNode> nodesAfter = new HashMap<>();
    left.files.replaceAll(
        (path, node) -> nodesAfter.computeIfAbsent(node, before -> before.crashed(random, tears)));
    after.now.addAll(left);
    after.durable.addAll(left);
    return after;
  }
}
