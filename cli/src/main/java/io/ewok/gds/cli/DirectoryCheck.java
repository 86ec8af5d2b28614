package io.ewok.gds.cli;

import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoFile;
import io.ewok.gds.pagestore.OpenMode;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Looks at a directory as the home of a store, through the engine that would serve it. */
final class DirectoryCheck {
  private final IoEngine engine;
  private final Path directory;

  DirectoryCheck(IoEngine engine, Path directory) {
    this.engine = engine;
    this.directory = directory;
  }

  List<Finding> examine() {
    List<Finding> findings = new ArrayList<>();
    findings.add(
        new Finding("directory", directory.toString(), "what follows is about a store in it"));
    try {
      FileStore fileStore = Files.getFileStore(directory);
      findings.add(new Finding("file system", fileStore.type(), meaning(fileStore.type())));
      findings.add(
          new Finding(
              "free space",
              Units.bytes(fileStore.getUsableSpace()),
              "of " + Units.bytes(fileStore.getTotalSpace()) + " for data and log"));
    } catch (IOException e) {
      findings.add(new Finding("file system", "unknown", Failures.message(e)));
    }
    findings.add(directIo());
    return findings;
  }

  private Finding directIo() {
    Path probe = directory.resolve(".gds-doctor-" + ProcessHandle.current().pid());
    try {
      try (IoFile file = engine.open(probe, OpenMode.CREATE_NEW)) {
        return file.isDirect()
            ? new Finding(
                "direct I/O",
                file.alignmentBytes() + " B alignment",
                "reads and writes go past the page cache of the system")
            : new Finding(
                "direct I/O",
                "none",
                "the file system goes through memory: data is cached twice and reads are not the"
                    + " device's");
      } finally {
        Files.deleteIfExists(probe);
      }
    } catch (IOException | RuntimeException e) {
      return new Finding("direct I/O", "unknown", "no file can be made: " + Failures.message(e));
    }
  }

  private static String meaning(String type) {
    return switch (type) {
      case "ext4", "xfs" -> "well known, with preallocation and direct I/O";
      case "tmpfs", "ramfs" -> "in memory: nothing survives a restart of the machine";
      case "overlay" -> "the layers of a container: better use a volume";
      case "nfs", "nfs4", "cifs", "9p", "virtiofs" ->
          "remote: locks and syncs are the server's word";
      case "btrfs", "zfs", "bcachefs" -> "copies on write: overwriting costs more than elsewhere";
      default -> "not tried by us";
    };
  }
}
