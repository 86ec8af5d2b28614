package io.ewok.gds.lsm;

import io.ewok.gds.ffm.unchecked.Memory;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassTransform;
import java.lang.classfile.CodeBuilder;
import java.lang.classfile.CodeElement;
import java.lang.classfile.Opcode;
import java.lang.classfile.instruction.InvokeInstruction;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.util.Set;

/**
 * Loads the classes of tables so that somebody comes before each access to a block that is
 * searched, on the same thread. One validation can be left out, for who wants to see that this is
 * found.
 */
public final class TableStepLoader extends InterleavedLoader {
  /** For {@link #TableStepLoader}: all validations are made. */
  public static final int NONE = -1;

  private static final String TABLES = "io.ewok.gds.lsm.table";
  private static final String INDEX = TABLES + ".TableIndex";
  private static final Set<String> READERS = Set.of(TABLES + ".BlockView", TABLES + ".FilterView");
  private static final String FIND = "tryFind";
  private static final String VALIDATE = "validate";
  private static final ClassDesc MEMORY = ClassDesc.of(Memory.class.getName());
  private static final ClassDesc HERE = ClassDesc.of(TableStepLoader.class.getName());
  private static final MethodTypeDesc NOTHING = MethodTypeDesc.of(ConstantDescs.CD_void);

  private static Runnable atSteps = () -> {};

  private final int leftOut;
  private int validations;

  /**
   * Creates it.
   *
   * @param leftOut which of the validations in the search of the index says yes without looking
   */
  public TableStepLoader(int leftOut) {
    super(TABLES, "", "");
    this.leftOut = leftOut;
  }

  /** Says what comes before each step from now on. */
  public static void setAtSteps(Runnable action) {
    atSteps = action;
  }

  /** Where the code comes that was loaded. */
  public static void step() {
    atSteps.run();
  }

  /** How many validations there are in the search of the index, once that is loaded. */
  public int validations() {
    return validations;
  }

  @Override
  byte[] transformed(String name, byte[] bytes) {
    if (name.equals(INDEX)) {
      return withValidations(bytes);
    }
    return READERS.contains(name) ? super.transformed(name, bytes) : bytes;
  }

  private byte[] withValidations(byte[] bytes) {
    ClassFile file = ClassFile.of();
    return file.transformClass(
        file.parse(bytes),
        ClassTransform.transformingMethodBodies(
            method -> method.methodName().equalsString(FIND), this::validation));
  }

  private void validation(CodeBuilder code, CodeElement element) {
    if (element instanceof InvokeInstruction call
        && call.name().equalsString(VALIDATE)
        && validations++ == leftOut) {
      code.pop().iconst_1();
    } else {
      code.with(element);
    }
  }

  @Override
  void redirect(CodeBuilder code, CodeElement element) {
    if (element instanceof InvokeInstruction call
        && call.opcode() == Opcode.INVOKESTATIC
        && call.owner().asSymbol().equals(MEMORY)) {
      code.invokestatic(HERE, "step", NOTHING);
    }
    code.with(element);
  }
}
