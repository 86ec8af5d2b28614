package io.ewok.gds.lsm;

import io.ewok.gds.lsm.memtable.Memtable;
import io.ewok.gds.lsm.memtable.MemtableSpace;
import io.ewok.gds.reactor.Baton;
import io.ewok.gds.reactor.LongLock;
import io.ewok.gds.wal.WriteAheadLog;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.Opcode;
import java.lang.classfile.instruction.FieldInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.Set;

/**
 * Loads {@link WriteRoom} so that {@link Interleaver} comes before each access to its volatile
 * fields, and before each call of a memtable, their space and the versions, which is one step. What
 * it asks of others is answered by {@link WriteRoomScenes}.
 */
final class WriteRoomLoader extends InterleavedLoader {
  private static final ClassDesc INTERLEAVER = desc(Interleaver.class);
  private static final ClassDesc SCENES = desc(WriteRoomScenes.class);
  private static final MethodTypeDesc NOTHING = MethodTypeDesc.of(ConstantDescs.CD_void);

  private static final Set<String> FIELDS = Set.of("active", "activeStartLsn");
  private static final Set<ClassDesc> STEPS =
      Set.of(desc(Memtable.class), desc(MemtableSpace.class), desc(VersionSet.class));

  /** What changes nothing for others; and what only says how much to hold writers back. */
  private static final Set<String> READS =
      Set.of("hasNoWriter", "isEmpty", "free", "hasFrozen", "frozen", "sequence");

  private static final Set<String> NO_STEPS = Set.of("takenShare", "takenBytes", "endLsn");

  private static final Set<ClassDesc> ANSWERED =
      Set.of(
          desc(Background.class),
          desc(Baton.class),
          desc(LogHolds.class),
          desc(LongLock.class),
          desc(WriteAheadLog.class),
          desc(WriteDelay.class));

  WriteRoomLoader() {
    super(WriteRoom.class.getPackageName(), "", "");
  }

  private static ClassDesc desc(Class<?> type) {
    return ClassDesc.of(type.getName());
  }

  /** All that who is in the package must see, but for who stands above the scenes. */
  @Override
  boolean isLoadedHere(String name) {
    return super.isLoadedHere(name) && !name.startsWith(Interleaver.class.getName());
  }

  @Override
  byte[] transformed(String name, byte[] bytes) {
    return name.equals(WriteRoom.class.getName()) ? super.transformed(name, bytes) : bytes;
  }

  @Override
  void redirect(CodeBuilder code, CodeElement element) {
    if (element instanceof FieldInstruction access
        && FIELDS.contains(access.name().stringValue())) {
      step(code, access.opcode() == Opcode.PUTFIELD);
    }
    if (element instanceof InvokeInstruction call && call.opcode() == Opcode.INVOKEVIRTUAL) {
      String name = call.name().stringValue();
      if (ANSWERED.contains(call.owner().asSymbol())) {
        MethodTypeDesc type = call.typeSymbol();
        code.invokestatic(SCENES, name, type.insertParameterTypes(0, ConstantDescs.CD_Object));
        return;
      }
      if (STEPS.contains(call.owner().asSymbol()) && !NO_STEPS.contains(name)) {
        step(code, !READS.contains(name));
      }
    }
    super.redirect(code, element);
  }

  private static void step(CodeBuilder code, boolean write) {
    code.invokestatic(INTERLEAVER, write ? "putField" : "getField", NOTHING);
  }
}
