package io.ewok.gds.buffers.redo.example;

import io.ewok.gds.testing.PowerCuts;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Cuts the power of machines while {@link TreeWriter} writes on their disk, see {@link PowerCuts}.
 */
@EnabledIfSystemProperty(named = PowerCuts.RUNNER, matches = ".+")
final class PowerCutTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "virtio, ext4, DOUBLE_WRITE",
    "virtio, xfs, BACKUP",
    "scsi, ext4, BACKUP",
    "scsi, xfs, DOUBLE_WRITE"
  })
  void nothingAcknowledgedIsLostWhenThePowerIsCut(String disk, String fileSystem, String tornPages)
      throws Exception {
    List<String> arguments = List.of(PowerCuts.onDisk("trees"), tornPages);
    PowerCuts.run(folder, disk, fileSystem, TreeWriter.class, TreeChecker.class, arguments);
  }
}
