package io.ewok.gds.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What the Debian package manager recorded of the files it installed: each path is a key, its value
 * is {@code package version}; for a path of several packages (directories are) all of them, sorted,
 * joined with {@code "; "}. In the order of the paths.
 *
 * <p>Reads {@code info/*.list} and {@code status} below the given directory at construction.
 */
final class DpkgReader implements EntryReader {
  /** Where a Debian system keeps it. */
  static final Path DIRECTORY = Path.of("/var/lib/dpkg");

  private static final String LIST = ".list";

  private final Iterator<Map.Entry<String, List<String>>> paths;

  DpkgReader(Path directory) throws IOException {
    Path info = directory.resolve("info");
    Path status = directory.resolve("status");
    if (!Files.isDirectory(info) || !Files.isReadable(status)) {
      throw CommandFailure.failed(
          "this system has no dpkg database to use as data; pass a file with --input: path="
              + directory);
    }
    Map<String, String> versions = versions(status);
    Map<String, List<String>> owners = new TreeMap<>();
    // Sorted, so that the owners of a path come out in order whatever order the file system lists.
    for (Path list : lists(info)) {
      String name = list.getFileName().toString();
      String owner = name.substring(0, name.length() - LIST.length());
      String value = owner + " " + versions.getOrDefault(owner, "unknown");
      addPaths(list, value, owners);
    }
    this.paths = owners.entrySet().iterator();
  }

  @Override
  public Entry next() {
    if (!paths.hasNext()) {
      return null;
    }
    Map.Entry<String, List<String>> path = paths.next();
    return new Entry(
        path.getKey().getBytes(StandardCharsets.ISO_8859_1),
        String.join("; ", path.getValue()).getBytes(StandardCharsets.ISO_8859_1));
  }

  @Override
  public long consumedBytes() {
    return 0;
  }

  @Override
  public void close() {
    // Everything was read at construction.
  }

  private static Iterable<Path> lists(Path info) throws IOException {
    TreeSet<Path> lists = new TreeSet<>();
    try (DirectoryStream<Path> files = Files.newDirectoryStream(info, "*" + LIST)) {
      files.forEach(lists::add);
    }
    return lists;
  }

  private static void addPaths(Path list, String owner, Map<String, List<String>> owners)
      throws IOException {
    try (BufferedReader lines = Files.newBufferedReader(list, StandardCharsets.ISO_8859_1)) {
      for (String path = lines.readLine(); path != null; path = lines.readLine()) {
        if (!path.isEmpty()) {
          owners.computeIfAbsent(path, _ -> new ArrayList<>(1)).add(owner);
        }
      }
    }
  }

  /** Versions by package name, and by name:architecture, as list files are named either way. */
  private static Map<String, String> versions(Path status) throws IOException {
    Map<String, String> versions = new HashMap<>();
    Map<String, String> fields = new HashMap<>();
    try (BufferedReader lines = Files.newBufferedReader(status, StandardCharsets.ISO_8859_1)) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        int colon = line.indexOf(": ");
        if (line.isEmpty()) {
          addVersion(fields, versions);
          fields.clear();
        } else if (colon > 0 && line.charAt(0) != ' ') {
          fields.put(line.substring(0, colon), line.substring(colon + 2));
        }
      }
    }
    addVersion(fields, versions);
    return versions;
  }

  private static void addVersion(Map<String, String> fields, Map<String, String> versions) {
    String name = fields.get("Package");
    String version = fields.get("Version");
    if (name != null && version != null) {
      versions.put(name, version);
      versions.put(name + ":" + fields.get("Architecture"), version);
    }
  }
}
