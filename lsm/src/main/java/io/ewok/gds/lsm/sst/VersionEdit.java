package io.ewok.gds.lsm.sst;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * One change of a database, a record of its manifest ({@code db/version_edit.cc}): tags, varints,
 * each with its values.
 */
final class VersionEdit {
  private static final int COMPARATOR = 1;
  private static final int LOG_NUMBER = 2;
  private static final int NEXT_FILE_NUMBER = 3;
  private static final int LAST_SEQUENCE = 4;
  private static final int COMPACT_CURSOR = 5;
  private static final int DELETED_FILE = 6;
  private static final int NEW_FILE = 7;
  private static final int PREVIOUS_LOG_NUMBER = 9;
  private static final int LOG_NUMBER_TO_KEEP = 10;
  private static final int NEW_FILE_2 = 100;
  private static final int NEW_FILE_3 = 102;
  private static final int NEW_FILE_4 = 103;
  private static final int FAMILY = 200;
  private static final int FAMILY_ADD = 201;
  private static final int FAMILY_DROP = 202;
  private static final int FAMILY_MAX = 203;
  private static final int ATOMIC_GROUP = 300;
  private static final int BLOB_FILE = 400;
  private static final int BLOB_GARBAGE = 401;

  /** Tags with it that are not known can be passed over: the length of their value comes first. */
  private static final int IGNORABLE = 1 << 13;

  /** Ignorable by name, but older than that rule. */
  private static final int OLD_IGNORABLE_FIRST = IGNORABLE + 2;

  private static final int OLD_IGNORABLE_LAST = IGNORABLE + 5;

  /** Fields of a new file. */
  private static final int FIELDS_END = 1;

  private static final int PATH_FIELD = 65;
  private static final int NEEDED_FIELD = 1 << 6;

  /** A table of a level. */
  @SuppressWarnings("ArrayRecordComponent") // Never compared or hashed.
  record NewFile(long number, long sequenceMax, byte[] smallestKey, byte[] largestKey) {}

  int family;
  String familyAddedOrNull;
  boolean familyDropped;
  String comparatorOrNull;
  long logNumber = -1;
  long previousLogNumber = -1;

  /** How many edits of the same atomic group are still to come; -1 for an edit of its own. */
  int groupLeft = -1;

  final List<Long> deletedFiles = new ArrayList<>();
  final List<NewFile> newFiles = new ArrayList<>();

  private final ByteReader in;

  private VersionEdit(ByteReader in) {
    this.in = in;
  }

  static VersionEdit read(ByteReader in) throws IOException {
    VersionEdit edit = new VersionEdit(in);
    while (in.remaining() > 0) {
      edit.readTag(in.length());
    }
    return edit;
  }

  private void readTag(int tag) throws IOException {
    switch (tag) {
      case COMPARATOR -> comparatorOrNull = SstFormat.text(in.lengthPrefixed());
      case LOG_NUMBER -> logNumber = in.varint();
      case PREVIOUS_LOG_NUMBER -> previousLogNumber = in.varint();
      case NEXT_FILE_NUMBER, LAST_SEQUENCE, LOG_NUMBER_TO_KEEP, FAMILY_MAX -> in.varint();
      case COMPACT_CURSOR -> {
        in.varint();
        in.skipLengthPrefixed();
      }
      case DELETED_FILE -> {
        in.varint();
        deletedFiles.add(in.varint());
      }
      case NEW_FILE, NEW_FILE_2, NEW_FILE_3, NEW_FILE_4 -> readNewFile(tag);
      case FAMILY -> family = in.length();
      case FAMILY_ADD -> familyAddedOrNull = SstFormat.text(in.lengthPrefixed());
      case FAMILY_DROP -> familyDropped = true;
      case ATOMIC_GROUP -> groupLeft = in.length();
      case BLOB_FILE, BLOB_GARBAGE ->
          throw in.unsupported("the database keeps values in blob files, which are not read here");
      default -> skip(tag);
    }
  }

  private void skip(int tag) throws IOException {
    boolean old = tag >= OLD_IGNORABLE_FIRST && tag <= OLD_IGNORABLE_LAST;
    if ((tag & IGNORABLE) == 0 || old) {
      throw in.unsupported("an entry of a manifest is not read here: tag=" + tag);
    }
    in.skipLengthPrefixed();
  }

  private void readNewFile(int tag) throws IOException {
    in.varint(); // Level: sequence numbers say what is newer.
    long number = in.varint();
    requireFirstPath(tag == NEW_FILE_3 ? in.varint() : 0);
    in.varint(); // Size.
    byte[] smallest = internalKey();
    byte[] largest = internalKey();
    long sequenceMax = -1;
    if (tag != NEW_FILE) {
      in.varint();
      sequenceMax = in.varint();
    }
    if (tag == NEW_FILE_4) {
      readFields();
    }
    newFiles.add(new NewFile(number, sequenceMax, smallest, largest));
  }

  private byte[] internalKey() throws IOException {
    byte[] key = in.lengthPrefixed();
    if (key.length < SstFormat.KEY_SUFFIX_BYTES) {
      throw in.corrupt("a key with a sequence number", key.length + " bytes");
    }
    return key;
  }

  private void readFields() throws IOException {
    for (int field = in.length(); field != FIELDS_END; field = in.length()) {
      byte[] content = in.lengthPrefixed();
      if (field == PATH_FIELD && content.length == 1) {
        requireFirstPath(content[0]);
      } else if ((field & NEEDED_FIELD) != 0) {
        throw in.unsupported("a field of a table in a manifest is not read here: field=" + field);
      }
    }
  }

  private void requireFirstPath(long path) throws IOException {
    if (path != 0) {
      throw in.unsupported("the database has tables in other directories: path_index=" + path);
    }
  }

  void requireBytewise(Path manifest) throws UnsupportedContentException {
    if (comparatorOrNull != null) {
      UnsupportedContentException.requireBytewise(manifest, comparatorOrNull);
    }
  }
}
