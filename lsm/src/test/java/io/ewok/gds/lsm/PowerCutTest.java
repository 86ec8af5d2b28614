package io.ewok.gds.lsm;

import io.ewok.gds.testing.PowerCuts;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Cuts the power of machines while {@link LaneWriter} writes on their disk, see {@link PowerCuts}.
 */
@EnabledIfSystemProperty(named = PowerCuts.RUNNER, matches = ".+")
class PowerCutTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({"virtio, ext4", "virtio, xfs", "scsi, ext4", "scsi, xfs"})
  void nothingAcknowledgedIsLostWhenThePowerIsCut(String disk, String fileSystem) throws Exception {
    List<String> arguments = List.of(PowerCuts.onDisk("store"));
    PowerCuts.run(folder, disk, fileSystem, LaneWriter.class, LaneChecker.class, arguments);
  }
}
