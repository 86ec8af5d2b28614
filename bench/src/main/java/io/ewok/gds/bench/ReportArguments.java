package io.ewok.gds.bench;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * The arguments that the reports have in common, and those of one report.
 *
 * @param help whether only the usage is wanted
 * @param quick whether to end within a minute
 * @param json whether to print JSON lines
 * @param rounds how often everything is measured; 0 if nothing was said
 * @param others values of the report's own arguments, by name
 */
record ReportArguments(
    boolean help, boolean quick, boolean json, int rounds, Map<String, String> others) {

  /**
   * Reads the arguments.
   *
   * @param own names of the report's own ones; each has a value
   * @throws IllegalArgumentException with what to tell the user
   */
  static ReportArguments parse(String[] args, Set<String> own) {
    boolean help = false;
    boolean quick = false;
    boolean json = false;
    int rounds = 0;
    Map<String, String> others = new HashMap<>();
    for (int i = 0; i < args.length; i++) {
      String name = args[i];
      switch (name) {
        case "--help", "-h" -> help = true;
        case "--quick" -> quick = true;
        case "--json" -> json = true;
        case "--rounds" -> {
          String number = i + 1 < args.length ? args[++i] : "";
          if (!number.matches("[1-9][0-9]{0,3}")) {
            throw new IllegalArgumentException("--rounds needs a number from 1 to 9999");
          }
          rounds = Integer.parseInt(number);
        }
        default -> {
          if (!own.contains(name)) {
            throw new IllegalArgumentException("unknown argument: " + name);
          }
          if (i + 1 == args.length) {
            throw new IllegalArgumentException(name + " needs a value");
          }
          others.put(name, args[++i]);
        }
      }
    }
    return new ReportArguments(help, quick, json, rounds, others);
  }
}
