package io.ewok.gds.cli;

import io.ewok.gds.pagestore.MissingFileException;
import io.ewok.gds.pagestore.StorageException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;

/** Turns what was thrown into one line and an exit status. */
final class Failures {
  private Failures() {}

  /**
   * Prints the failure, unless it is that nobody reads us any more, and returns the exit status.
   */
  static int report(Streams streams, Throwable thrown, boolean debug) {
    if (thrown instanceof ClosedPipeException) {
      return ExitStatus.CLOSED_PIPE;
    }
    streams.error(message(thrown));
    if (debug) {
      streams.stackTrace(thrown);
    }
    return thrown instanceof CommandFailure failure ? failure.exitStatus() : ExitStatus.FAILED;
  }

  /** What was wrong, as one sentence without "gds:". */
  static String message(Throwable thrown) {
    return switch (thrown) {
      case UncheckedIOException e -> message(e.getCause());
      case StorageException e when e.getCause() instanceof FileSystemException cause ->
          message(cause);
      case MissingFileException e -> e.getMessage(); // Which the system says in its words, too.
      case NoSuchFileException e -> "there is no such file or directory: path=" + e.getFile();
      case AccessDeniedException e -> "permission denied: path=" + e.getFile();
      case FileAlreadyExistsException e -> "the file exists already: path=" + e.getFile();
      case DirectoryNotEmptyException e -> "the directory is not empty: path=" + e.getFile();
      case NotDirectoryException e -> "this is not a directory: path=" + e.getFile();
      case FileSystemException e ->
          (e.getReason() == null ? "file system error" : e.getReason()) + ": path=" + e.getFile();
      case InvalidPathException e -> "not a file name: " + e.getMessage();
      case OutOfMemoryError _ ->
          "the Java heap is too small for this; give it more with JDK_JAVA_OPTIONS=-Xmx…: "
              + "heapBytes="
              + Runtime.getRuntime().maxMemory();
      case CommandFailure e -> e.getMessage();
      // The layers below say what is wrong in these, in full sentences.
      case IOException e when e.getMessage() != null -> e.getMessage() + systemError(e);
      case IllegalArgumentException e when e.getMessage() != null -> e.getMessage();
      case IllegalStateException e when e.getMessage() != null -> e.getMessage();
      default -> "internal error, --debug shows where: " + thrown;
    };
  }

  /**
   * The system's error under a failure that does not show it, such as a full disk under a flush.
   */
  private static String systemError(Throwable thrown) {
    String told = thrown.getMessage();
    for (Throwable cause = thrown.getCause(); cause != null; cause = cause.getCause()) {
      String message = String.valueOf(cause.getMessage());
      if (message.contains("errno=")) {
        return told.contains("errno=") ? "" : "; because: " + message;
      }
    }
    return "";
  }
}
