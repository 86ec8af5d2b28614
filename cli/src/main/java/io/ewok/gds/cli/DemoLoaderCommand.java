package io.ewok.gds.cli;

import io.ewok.gds.lsm.Durability;
import io.ewok.gds.lsm.Store;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * The process that {@code gds demo} kills: loads records from standard input with synced writes of
 * several threads, and prints the number of each record once it is acknowledged. Never ends by
 * itself, unless its standard input ends, which means that its parent has died.
 */
@Command(
    name = DemoLoaderCommand.NAME,
    hidden = true,
    description = "The part of the demonstration that is killed.")
final class DemoLoaderCommand implements Callable<Integer> {
  static final String NAME = "demo-loader";

  private static final int QUEUE_RECORDS = 1024;

  private final Streams streams;

  @Mixin private StoreArguments storeArguments;

  @Parameters(index = "0", paramLabel = "DIR", description = "The store.")
  private Path directory;

  @Option(names = "--threads", paramLabel = "N", required = true, description = "Writing threads.")
  private int threads;

  private final BlockingQueue<Numbered> queue = new ArrayBlockingQueue<>(QUEUE_RECORDS);

  DemoLoaderCommand(Streams streams) {
    this.streams = streams;
  }

  @Override
  public Integer call() throws IOException {
    DataInputStream in = new DataInputStream(new BufferedInputStream(streams.in()));
    try (Store store = storeArguments.openOrCreate(directory)) {
      for (int writer = 0; writer < threads; writer++) {
        Thread.ofPlatform().daemon().start(() -> write(store));
      }
      int number = 0;
      for (int keyBytes = in.readInt(); keyBytes != LoaderProcess.END; keyBytes = in.readInt()) {
        int valueBytes = in.readInt();
        queue.put(new Numbered(number++, in.readNBytes(keyBytes), in.readNBytes(valueBytes)));
      }
      in.readInt(); // All is read: wait for the end of the parent or our own.
      throw new IllegalStateException("records after the last one");
    } catch (EOFException e) {
      // Nobody is left to tell, and closing the store in good order is not what we are for.
      Runtime.getRuntime().halt(ExitStatus.FAILED);
      return ExitStatus.FAILED;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw CommandFailure.failed("interrupted", e);
    }
  }

  private void write(Store store) {
    try {
      while (true) {
        Numbered next = queue.take();
        store.put(next.key, next.value, Durability.SYNCED);
        acknowledge(next.number);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (IOException | RuntimeException | Error e) {
      Runtime.getRuntime().halt(Failures.report(streams, e, true));
    }
  }

  /** One line, handed to the system at once: a line the parent reads is a promise it may check. */
  private void acknowledge(int number) {
    byte[] line = (number + "\n").getBytes(StandardCharsets.US_ASCII);
    synchronized (streams) {
      streams.out(line);
      streams.flush();
    }
  }

  @SuppressWarnings("ArrayRecordComponent") // A carrier between two threads; never compared.
  private record Numbered(int number, byte[] key, byte[] value) {}
}
