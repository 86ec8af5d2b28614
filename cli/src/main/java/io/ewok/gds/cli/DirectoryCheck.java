package io.ewok.gds.cli;

import io.ewok.gds.cli.Finding.Severity;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/** Looks at a directory as the home of a store, through the engine that would serve it. */
final class DirectoryCheck {
  private static final long FREE_BYTES_MIN = 1L << 30;
  private static final int FREE_PART_MIN = 20;

  /** With these what was synced may not be on the device. */
  private static final Set<String> WITHOUT_BARRIERS = Set.of("nobarrier", "barrier=0");

  private final IoEngine engine;
  private final Path directory;
  private final Optional<Mount> mount;

  /**
   * @param mount where the directory's file system is mounted, if the kernel tells
   */
  DirectoryCheck(IoEngine engine, Path directory, Optional<Mount> mount) {
    this.engine = engine;
    this.directory = directory;
    this.mount = mount;
  }

  List<Finding> examine() {
    List<Finding> findings = new ArrayList<>();
    findings.add(
        Finding.ok("directory", directory.toString(), "what follows is about a store in it"));
    try {
      FileStore fileStore = Files.getFileStore(directory);
      findings.add(fileSystem(fileStore.type()));
      findings.add(freeSpace(fileStore.getUsableSpace(), fileStore.getTotalSpace()));
    } catch (IOException e) {
      findings.add(Finding.of(Severity.WARN, "file system", "unknown", Failures.message(e)));
    }
    mount.ifPresent(found -> findings.add(options(found)));
    findings.addAll(directIo());
    return findings;
  }

  static Finding freeSpace(long freeBytes, long totalBytes) {
    String meaning = "of " + Units.bytes(totalBytes) + " for data and log";
    String found = Units.bytes(freeBytes);
    boolean scarce = freeBytes < FREE_BYTES_MIN || freeBytes < totalBytes / FREE_PART_MIN;
    return (scarce
            ? Finding.of(
                    Severity.WARN,
                    "free space",
                    found,
                    meaning + "; compactions need room for what they replace")
                .withDecision("a store that finds no room refuses writes, and loses none")
            : Finding.ok("free space", found, meaning))
        .withWanted("1 GiB and 5 % or more");
  }

  static Finding options(Mount mount) {
    String found = String.join(",", mount.options());
    String point = " " + DoctorScript.quoted(mount.point());
    if (mount.options().stream().anyMatch(WITHOUT_BARRIERS::contains)) {
      return Finding.of(
              Severity.FATAL,
              "mount options",
              found,
              "without barriers what was synced may be in the device's memory only: a power cut"
                  + " loses what was acknowledged")
          .withWanted("barriers")
          .withDecision("nothing: the file system says that a sync is done")
          .withCommands("mount -o remount,barrier=1" + point);
    }
    if (mount.options().contains("sync") || mount.options().contains("dirsync")) {
      return Finding.of(
              Severity.WARN, "mount options", found, "each write is synced, asked for or not")
          .withWanted("async")
          .withDecision("nothing: what need not be durable yet waits all the same")
          .withCommands("mount -o remount,async" + point);
    }
    if (mount.options().contains("ro")) {
      return Finding.of(
              Severity.WARN, "mount options", found, "read-only: stores can be read, as they are")
          .withWanted("rw")
          .withDecision("commands that only read take a store as it is");
    }
    boolean quiet =
        mount.options().contains("noatime")
            || mount.options().contains("relatime")
            || mount.options().contains("lazytime");
    return quiet
        ? Finding.ok("mount options", found, "reading a file seldom writes its time")
            .withWanted("noatime, relatime or lazytime")
        : Finding.of(
                Severity.INFO, "mount options", found, "each read of a file writes when that was")
            .withWanted("noatime")
            .withDecision("nothing: files stay open, and are read many times")
            .withCommands("mount -o remount,noatime" + point);
  }

  private List<Finding> directIo() {
    Path probe = directory.resolve(".gds-doctor-" + UUID.randomUUID());
    try {
      try (IoFile file = engine.open(probe, OpenMode.CREATE_NEW)) {
        return List.of(directIo(file), atomicWrites(file));
      } finally {
        Files.deleteIfExists(probe);
      }
    } catch (IOException | RuntimeException e) {
      return List.of(
          Finding.of(
              Severity.FATAL,
              "direct I/O",
              "unknown",
              "no file can be made: " + Failures.message(e)));
    }
  }

  private static Finding directIo(IoFile file) {
    return file.isDirect()
        ? Finding.ok(
                "direct I/O",
                file.alignmentBytes() + " B alignment",
                "reads and writes go past the page cache of the system")
            .withDecision("transfers are multiples of that, at multiples of it")
        : Finding.of(
                Severity.WARN,
                "direct I/O",
                "none",
                "the file system goes through memory: data is cached twice and reads are not the"
                    + " device's")
            .withWanted("a file system that has it, such as ext4 or xfs")
            .withDecision("files go through the page cache");
  }

  private static Finding atomicWrites(IoFile file) {
    int max = file.atomicWrites().maxBytes();
    return max == 0
        ? Finding.of(
                Severity.INFO, "atomic writes", "none", "a power cut may tear pages being written")
            .withDecision("new page files write each page twice, by a journal; stores need neither")
        : Finding.ok(
                "atomic writes",
                file.atomicWrites().minBytes() + " to " + max + " B",
                "a page is written wholly or not at all")
            .withDecision("new page files with pages up to that have no journal");
  }

  static Finding fileSystem(String type) {
    String name = "file system";
    Finding found =
        switch (type) {
          case "ext4", "xfs" ->
              Finding.ok(name, type, "well known, with preallocation and direct I/O");
          case "tmpfs", "ramfs" ->
              Finding.of(
                  Severity.WARN,
                  name,
                  type,
                  "in memory: nothing survives a restart of the machine");
          case "overlay" ->
              Finding.of(
                  Severity.WARN, name, type, "the layers of a container: better use a volume");
          case "nfs", "nfs4", "cifs", "9p", "virtiofs" ->
              Finding.of(
                  Severity.WARN, name, type, "remote: locks and syncs are the server's word");
          case "btrfs", "zfs", "bcachefs" ->
              Finding.of(
                  Severity.INFO,
                  name,
                  type,
                  "copies on write: overwriting costs more than elsewhere");
          default -> Finding.of(Severity.INFO, name, type, "not tried by us");
        };
    return found
        .withWanted("ext4 or xfs")
        .withDecision("stores are made on any; what it can do is found by trying");
  }
}
