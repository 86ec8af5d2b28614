package consumer;

import io.ewok.gds.allocator.MemoryBudget;
import io.ewok.gds.pagestore.EngineOptions;
import io.ewok.gds.pagestore.IoEngine;
import io.ewok.gds.pagestore.IoEngines;
import io.ewok.gds.wal.LogOptions;
import io.ewok.gds.wal.WriteAheadLog;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Records that come back when the log is opened again. */
final class Main {
  private Main() {}

  public static void main(String[] arguments) throws Exception {
    Path directory = Files.createDirectory(Path.of(arguments[0], "log"));
    List<String> replayed = new ArrayList<>();
    for (int round = 0; round < 2; round++) {
      MemoryBudget budget = MemoryBudget.root("log", 64 << 20);
      try (IoEngine engine = IoEngines.open(EngineOptions.defaults());
          Arena arena = Arena.ofConfined();
          WriteAheadLog log =
              WriteAheadLog.open(
                  engine,
                  directory,
                  LogOptions.defaults(),
                  budget,
                  (lsn, record) -> replayed.add(record.getString(0)))) {
        MemorySegment record = arena.allocateFrom("record " + round);
        log.sync(log.append(record));
      }
    }
    if (!replayed.equals(List.of("record 0"))) {
      throw new AssertionError(replayed);
    }
  }
}
