/** The gds command: a store's first operations, a look at the machine, and the demonstration. */
module io.ewok.gds.cli {
  requires com.fasterxml.jackson.core;
  requires de.siegmar.fastcsv;
  requires info.picocli;
  requires io.ewok.gds.bufferpool;
  requires io.ewok.gds.ffm;
  requires io.ewok.gds.lsm;
  requires io.ewok.gds.pagestore;
  requires java.management;
  requires typesafe.config;

  provides System.LoggerFinder with
      io.ewok.gds.cli.ConsoleLogFinder;

  opens io.ewok.gds.cli to
      info.picocli;
}
