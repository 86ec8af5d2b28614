package io.ewok.gds.lsm;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Predicate;

/** Writes random scripts for {@link StoreScript}, and makes one that fails short. */
final class ScriptWriter {
  private static final int KEYS = 400;
  private static final int OPEN_MAX = 3;
  private static final int FAMILIES = 3;

  /** One in so many operations is followed by as many flushes, each of little. */
  private static final int TRICKLE_SHARE = 400;

  private static final int TRICKLE_FLUSHES = 12;

  /** Before one in so many of these level 1 becomes large. */
  private static final int LOAD_SHARE = 4;

  /** One in so many deletes and operations of a batch is that of a range. */
  private static final int RANGE_SHARE = 8;

  /** Of so many operations one makes a copy. */
  private static final int COPY_SHARE = 800;

  /** After one in so many operations somebody who only reads looks. */
  private static final int REPLICA_SHARE = 100;

  /** Of so many operations one changes the style of compactions. */
  private static final int STYLE_SHARE = 200;

  /** Of so many operations one changes how long records live. */
  private static final int TTL_SHARE = 150;

  /** Of so many operations one is followed by a change of how long tables stay as they are. */
  private static final int PERIOD_SHARE = 250;

  /** Of so many operations one ingests tables. */
  private static final int INGEST_SHARE = 120;

  /** Of so many operations one is followed by a clone, in the place of what was there. */
  private static final int CLONE_SHARE = 500;

  /** Of so many operations one is that of a transaction. */
  private static final int TRANSACTION_SHARE = 8;

  /** And of so many is a whole one, which others are seldom in the way of. */
  private static final int SHORT_TRANSACTION_SHARE = 60;

  /** Of so many operations one is that of a cursor over ranges. */
  private static final int RANGES_SHARE = 25;

  private final SplittableRandom random;

  /** Of a seed of its own, so that families do not change what the rest of a script does. */
  private final SplittableRandom families;

  private final boolean hasFamilies;

  /** Likewise. */
  private final SplittableRandom ranges;

  /** Likewise. */
  private final SplittableRandom trickles;

  /** Likewise. */
  private final SplittableRandom copies;

  /** Likewise. */
  private final SplittableRandom replicas;

  /** Likewise. */
  private final SplittableRandom transactions;

  /** Likewise. */
  private final SplittableRandom separated;

  /** Likewise. */
  private final SplittableRandom cached;

  /** Likewise. */
  private final SplittableRandom lives;

  /** Likewise. */
  private final SplittableRandom styles;

  /** Likewise. */
  private final SplittableRandom encrypted;

  /** Likewise. */
  private final SplittableRandom clones;

  /** Likewise. */
  private final SplittableRandom scans;

  /** Likewise. */
  private final SplittableRandom periods;

  /** Likewise. */
  private final SplittableRandom archived;

  /** Likewise. */
  private final SplittableRandom placed;

  private final List<String> lines = new ArrayList<>();

  private ScriptWriter(long seed) {
    random = new SplittableRandom(seed);
    families = new SplittableRandom(31 * seed);
    hasFamilies = families.nextInt(4) > 0;
    ranges = new SplittableRandom(seed ^ 5);
    trickles = new SplittableRandom(37 * seed);
    copies = new SplittableRandom(seed ^ 6);
    replicas = new SplittableRandom(seed ^ 7);
    transactions = new SplittableRandom(seed ^ 8);
    cached = new SplittableRandom(seed ^ 91);
    separated = new SplittableRandom(seed ^ 54);
    lives = new SplittableRandom(seed ^ 55);
    styles = new SplittableRandom(seed ^ 56);
    encrypted = new SplittableRandom(seed ^ 9);
    clones = new SplittableRandom(seed ^ 58);
    scans = new SplittableRandom(seed ^ 57);
    periods = new SplittableRandom(seed ^ 59);
    archived = new SplittableRandom(seed ^ 10);
    placed = new SplittableRandom(seed ^ 11);
  }

  /** Returns so many operations. */
  static List<String> write(long seed, int operations) {
    ScriptWriter writer = new ScriptWriter(seed);
    writer.options(new SplittableRandom(~seed));
    while (writer.lines.size() <= operations) {
      if (writer.replicas.nextInt(INGEST_SHARE) == 0) {
        writer.ingest();
      } else if (writer.copies.nextInt(COPY_SHARE) == 0) {
        writer.lines.add(writer.copies.nextBoolean() ? "checkpoint" : "backup");
      } else if (writer.transactions.nextInt(TRANSACTION_SHARE) == 0) {
        writer.transaction();
      } else if (writer.transactions.nextInt(SHORT_TRANSACTION_SHARE) == 0) {
        writer.shortTransaction();
      } else if (writer.lives.nextInt(TTL_SHARE) == 0) {
        writer.lines.add("change store.ttl=%ds".formatted(writer.lives.nextInt(5)));
      } else if (writer.styles.nextInt(STYLE_SHARE) == 0) {
        writer.lines.add(
            "change store.style="
                + List.of("leveled", "tiered", "fifo", "fifo").get(writer.styles.nextInt(4)));
      } else if (writer.scans.nextInt(RANGES_SHARE) == 0) {
        writer.scanRanges();
      } else {
        writer.operation();
      }
      if (writer.hasFamilies) {
        writer.useFamily();
      }
      if (writer.hasFamilies && writer.clones.nextInt(CLONE_SHARE) == 0) {
        int clone = 1 + writer.clones.nextInt(FAMILIES);
        writer.lines.add("drop " + clone);
        writer.lines.add("clone %d %d".formatted(writer.clones.nextInt(FAMILIES + 1), clone));
      }
      if (writer.periods.nextInt(PERIOD_SHARE) == 0) {
        int of = writer.hasFamilies ? writer.periods.nextInt(FAMILIES + 1) : 0;
        writer.lines.add(
            "change%s store.periodic-compaction=%ds"
                .formatted(of == 0 ? "" : "@" + of, writer.periods.nextInt(4)));
      }
      if (writer.replicas.nextInt(REPLICA_SHARE) == 0) {
        writer.lines.add("replica");
      }
      if (writer.trickles.nextInt(TRICKLE_SHARE) == 0) {
        writer.trickle();
      }
    }
    return writer.lines;
  }

  private void options(SplittableRandom others) {
    String separate =
        separated.nextInt(3) == 0
            ? ""
            : " separate=%d garbage=%d"
                .formatted(
                    List.of(1, 20, 150, 4_000).get(separated.nextInt(4)),
                    5 + 15 * separated.nextInt(5));
    lines.add(
        ("options merge=%d block=%d table=%d compression=%d filter=%d prefix=%d operator=%d"
                    + " cfilter=%d ttl=%d style=%d pool=%d flushfilter=%d")
                .formatted(
                    2 + random.nextInt(4),
                    4096 << others.nextInt(5),
                    262144 << random.nextInt(3),
                    others.nextInt(3),
                    5 * others.nextInt(4),
                    others.nextInt(3),
                    others.nextInt(2),
                    others.nextInt(2),
                    others.nextInt(3) == 0 ? 1 + others.nextInt(3) : 0,
                    others.nextInt(3),
                    hasFamilies ? 4 : 2, // cursors stand on more tables of level 0
                    others.nextInt(2))
            + separate
            + (cached.nextInt(4) == 0 ? "" : " records=" + (64 << cached.nextInt(3)))
            + fifo()
            + encrypted()
            + (archived.nextInt(3) == 0 ? " archive=1" : "")
            + (placed.nextInt(3) == 0 ? " parts=" + (1 + placed.nextInt(3)) : ""));
  }

  /** How many keys there are; "sealed" says that nothing is read that is not encrypted. */
  private String encrypted() {
    String keys = encrypted.nextInt(2) == 0 ? "" : " keys=" + (1 + encrypted.nextInt(3));
    return encrypted.nextInt(3) == 0 ? keys.replace("keys", "sealed") : keys;
  }

  /** Which families let their oldest tables go, and what they keep. */
  private String fifo() {
    String of = styles.nextInt(2) == 0 || !hasFamilies ? "fifo" : "fifo3";
    return styles.nextInt(3) > 0 ? "" : " %s=%d".formatted(of, 256 + styles.nextInt(300));
  }

  private void ingest() {
    StringBuilder line = new StringBuilder("ingest");
    for (int i = replicas.nextInt(120); i >= 0; i--) {
      int key = replicas.nextInt(KEYS);
      line.append(
          replicas.nextInt(8) == 0
              ? " %d-".formatted(key)
              : " %d=%d:%d"
                  .formatted(
                      key,
                      replicas.nextInt(replicas.nextInt(20) == 0 ? 20_000 : 400),
                      replicas.nextInt(1_000_000)));
    }
    lines.add(line.toString());
  }

  /** Makes the last line one of some family, or adds one that creates or drops one. */
  private void useFamily() {
    if (lines.size() <= FAMILIES + 1) {
      lines.add("create " + (lines.size() % FAMILIES + 1));
    } else if (families.nextInt(600) == 0) {
      lines.add("drop " + (1 + families.nextInt(FAMILIES)));
    } else if (families.nextInt(200) == 0) {
      lines.add("create " + (1 + families.nextInt(FAMILIES)));
    } else if (families.nextInt(3) > 0) {
      String[] words = lines.removeLast().split(" ");
      if (words[0].equals("batch") || words[0].equals("indexed")) {
        for (int i = 2; i < words.length; i++) {
          words[i] = families.nextInt(FAMILIES + 1) + "@" + words[i];
        }
      } else {
        words[0] += "@" + (1 + families.nextInt(FAMILIES));
      }
      lines.add(String.join(" ", words));
    }
  }

  private void operation() {
    int kind = random.nextInt(1000);
    if (kind < 8) {
      lines.add("flush");
    } else if (kind < 10) {
      lines.add(random.nextBoolean() ? "compact" : "compact %d %d".formatted(key(), key()));
    } else if (kind < 12) {
      lines.add("reopen");
    } else if (kind < 14) {
      lines.add("crash " + random.nextInt(1_000_000));
    } else if (kind < 16) {
      lines.add("check");
    } else if (kind < 20) {
      lines.add("tick " + random.nextInt(1_500));
    } else if (kind < 28) {
      cursor();
    } else if (kind < 32) {
      lines.add("snapshot " + number());
    } else if (kind < 38) {
      lines.add("unsnap " + number());
    } else if (kind < 42) {
      lines.add("uncursor " + number());
    } else if (kind < 44) {
      lines.add("changes %d %d".formatted(number(), random.nextInt(400_000)));
    } else if (kind < 52) {
      lines.add("follow %d %d".formatted(number(), 1 + random.nextInt(150)));
    } else if (kind < 54) {
      lines.add("tail %d %d".formatted(number(), key()));
    } else if (kind < 60) {
      lines.add("tailnext %d %d".formatted(number(), 1 + random.nextInt(100)));
    } else if (kind < 62) {
      lines.add("change " + setting());
    } else if (kind < 130) {
      batch();
    } else if (kind < 270) {
      if (ranges.nextInt(RANGE_SHARE) == 0) {
        int first = key();
        lines.add("rdelete %d %d %s".formatted(first, end(first), durability()));
        return;
      }
      String word = random.nextInt(3) == 0 ? "sdelete" : "delete";
      lines.add("%s %d %s".formatted(word, key(), durability()));
    } else if (kind < 350) {
      lines.add("merge %d %s %s".formatted(mergedKey(), operand(), durability()));
    } else if (kind < 550) {
      read();
    } else if (kind < 750) {
      lines.add("put %d %s %s".formatted(key(), value(), durability()));
    } else {
      move();
    }
  }

  /** One operation of one that is open, if there is one; several are at a time. */
  private void transaction() {
    int number = transactions.nextInt(OPEN_MAX);
    int key = transactions.nextInt(KEYS);
    String value = transactions.nextInt(100) + ":" + transactions.nextInt(1_000_000);
    String durability = transactions.nextInt(4) == 0 ? "SYNCED" : "NONE";
    lines.add(
        switch (transactions.nextInt(24)) {
          case 0, 1 ->
              "txn %d %s"
                  .formatted(
                      number,
                      List.of("SERIALIZABLE", "SERIALIZABLE", "SNAPSHOT", "LOCKS")
                          .get(transactions.nextInt(4)));
          case 2, 3, 4, 5 -> "tcommit %d %s".formatted(number, durability);
          case 6 -> "trollback " + number;
          case 7, 8 -> "tput %d %d %s".formatted(number, key, value);
          case 9, 10 -> "tdelete %d %d".formatted(number, key);
          case 11, 12, 13 -> "tmerge %d %d %s".formatted(number, key % 40, value);
          case 14 -> "trdelete %d %d %d".formatted(number, key, (key + 14) % KEYS);
          case 15, 16, 17 -> "tget %d %d".formatted(number, key % 40);
          case 18 -> "tupdate %d %d".formatted(number, key);
          case 19, 20, 21 -> "tscan %d %d %d".formatted(number, key, transactions.nextInt(12));
          case 22 -> "tsave " + number;
          default -> "tback " + number;
        });
  }

  private void scanRanges() {
    int number = scans.nextInt(OPEN_MAX);
    int kind = scans.nextInt(10);
    if (kind < 6) {
      List<String> moves =
          List.of("first", "last", "next", "next", "previous", "nextrange", "previousrange");
      String move = moves.get(scans.nextInt(moves.size()));
      int count = move.endsWith("st") ? 1 : 1 + scans.nextInt(move.endsWith("range") ? 3 : 60);
      lines.add("rmove %d %s %d".formatted(number, move, count));
      return;
    }
    StringBuilder keys = new StringBuilder();
    for (int i = scans.nextInt(scans.nextInt(3) == 0 ? 60 : 12); i > 0; i--) {
      keys.append(' ').append(scans.nextInt(KEYS));
    }
    if (kind == 6) {
      lines.add("tranges %d %d%s".formatted(number, scans.nextInt(30), keys));
    } else if (kind == 7) {
      lines.add("unranges " + number);
    } else {
      String filter = scans.nextInt(3) > 0 ? "" : " filter=" + (1 + scans.nextInt(4));
      String of = scans.nextInt(3) > 0 ? "" : " of=" + scans.nextInt(OPEN_MAX);
      lines.add("ranges " + number + filter + of + keys);
      lines.add("rmove %d %s 1".formatted(number, scans.nextBoolean() ? "first" : "last"));
    }
  }

  private void shortTransaction() {
    int number = transactions.nextInt(OPEN_MAX);
    lines.add("txn %d SERIALIZABLE".formatted(number));
    for (int i = transactions.nextInt(4); i >= 0; i--) {
      int key = transactions.nextInt(KEYS);
      lines.add("tget %d %d".formatted(number, key));
      lines.add("tput %d %d %d:%d".formatted(number, key, transactions.nextInt(100), i));
    }
    lines.add("tcommit %d NONE".formatted(number));
  }

  /** What is too little for a merge with level 1 is merged on level 0. */
  private void trickle() {
    String of = hasFamilies ? "@" + trickles.nextInt(FAMILIES + 1) : "";
    of = of.equals("@0") ? "" : of;
    if (trickles.nextInt(LOAD_SHARE) == 0) {
      for (int key = trickles.nextInt(2); key < KEYS; key += 2) {
        lines.add("put%s %d %d:%d NONE".formatted(of, key, 4_000, trickles.nextInt(1_000_000)));
      }
    }
    for (int i = 0; i < TRICKLE_FLUSHES; i++) {
      for (int count = trickles.nextInt(4); count >= 0; count--) {
        int key = trickles.nextInt(KEYS);
        String value = trickles.nextInt(200) + ":" + trickles.nextInt(1_000_000);
        lines.add(
            switch (trickles.nextInt(10)) {
              case 0 -> "delete%s %d NONE".formatted(of, key);
              case 1 -> "sdelete%s %d NONE".formatted(of, key);
              case 2 -> "rdelete%s %d %d NONE".formatted(of, key, (key + 14) % KEYS);
              case 3, 4 -> "merge%s %d %s NONE".formatted(of, key, value);
              default -> "put%s %d %s NONE".formatted(of, key, value);
            });
      }
      lines.add("flush");
    }
  }

  private int key() {
    return random.nextInt(KEYS);
  }

  /** Some have many operands. */
  private int mergedKey() {
    return random.nextBoolean() ? key() : random.nextInt(10);
  }

  private String operand() {
    return random.nextInt(40) + ":" + random.nextInt(1_000_000);
  }

  /** Most ranges are short: the order of keys is not that of their numbers, but beside it. */
  private int end(int first) {
    return ranges.nextInt(8) == 0 ? key() : (first + 7 * (1 + ranges.nextInt(4))) % KEYS;
  }

  private int number() {
    return random.nextInt(OPEN_MAX);
  }

  private String durability() {
    return switch (random.nextInt(10)) {
      case 0 -> "SYNCED";
      case 1 -> "BUFFERED";
      default -> "NONE";
    };
  }

  private String value() {
    int bound =
        switch (random.nextInt(40)) {
          case 0, 5, 6 -> 1;
          case 1 -> 30_000;
          case 2, 3, 4 -> 6_000;
          default -> 200;
        };
    return random.nextInt(bound) + ":" + random.nextInt(1_000_000);
  }

  /** One that may be changed while the store is open. */
  private String setting() {
    return switch (random.nextInt(7)) {
      case 0 -> "store.tables-before-merge=" + (2 + random.nextInt(4));
      case 1 -> "store.level-1=" + (256 << random.nextInt(3)) + "K";
      case 2 -> "store.growth=" + (2 + random.nextInt(4));
      case 3 -> "store.table=" + (256 << random.nextInt(3)) + "K";
      case 4 -> "store.compression=" + List.of("none", "lz4", "zstd").get(random.nextInt(3));
      case 5 -> "store.filter-bits=" + 5 * random.nextInt(4);
      default -> "store.filter-prefix=" + random.nextInt(3);
    };
  }

  private void batch() {
    String word = scans.nextInt(3) == 0 ? "indexed " : "batch ";
    StringBuilder line = new StringBuilder(word + durability());
    int count = random.nextInt(6);
    for (int i = 0; i < count; i++) {
      int key = key();
      line.append(' ').append(key);
      if (ranges.nextInt(RANGE_SHARE) == 0) {
        line.append("..").append(end(key));
      } else if (random.nextInt(4) == 0) {
        line.append('+').append(operand());
      } else if (random.nextInt(3) == 0) {
        line.append(random.nextInt(3) == 0 ? '~' : '-');
      } else {
        line.append('=').append(random.nextInt(300)).append(':').append(random.nextInt(1_000_000));
      }
    }
    lines.add(line.toString());
  }

  private void read() {
    lines.add(
        switch (random.nextInt(6)) {
          case 0, 1 -> "get " + key();
          case 2 -> "into " + key();
          case 3 -> "pin " + key();
          default -> "old %d %d".formatted(number(), key());
        });
  }

  private void cursor() {
    StringBuilder line = new StringBuilder("cursor " + number());
    String[] parts = {"from", "to", "prefix"};
    for (String part : parts) {
      if (random.nextInt(4) == 0) {
        line.append(' ').append(part).append('=').append(key());
      }
    }
    if (random.nextInt(3) == 0) {
      line.append(" filter=").append(1 + random.nextInt(4));
    }
    if (random.nextInt(3) == 0) {
      line.append(" of=").append(number());
    }
    lines.add(line.toString());
  }

  private void move() {
    int number = number();
    lines.add(
        switch (random.nextInt(15)) {
          case 0 -> "first " + number;
          case 1 -> "last " + number;
          case 2 -> "seek %d %d".formatted(number, key());
          case 3 -> "seekprev %d %d".formatted(number, key());
          case 14 -> "refresh " + number;
          case 4 -> "fill %d %d".formatted(number, 1 + random.nextInt(20));
          case 5, 6, 7, 8, 9 -> "next " + number;
          default -> "previous " + number;
        });
  }

  /** Takes lines away as long as the rest still fails, first many at once, then single ones. */
  static List<String> shrink(List<String> failing, Predicate<List<String>> fails, int tries) {
    List<String> kept = new ArrayList<>(failing);
    int left = tries;
    for (int chunk = kept.size() / 2; chunk > 0; chunk /= 2) {
      for (int at = 0; at < kept.size() && left > 0; left--) {
        List<String> fewer = new ArrayList<>(kept);
        fewer.subList(at, Math.min(at + chunk, fewer.size())).clear();
        if (fails.test(fewer)) {
          kept = fewer;
        } else {
          at += chunk;
        }
      }
    }
    return kept;
  }
}
