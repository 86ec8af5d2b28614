package io.ewok.gds.allocator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class AllocationSiteTest {

  private static AllocationSite fromHelper() {
    return AllocationSite.here();
  }

  private static AllocationSite deep(int depth) {
    return depth == 0 ? AllocationSite.here() : deep(depth - 1);
  }

  @Test
  void theCallerIsNamedFirstAndThenThoseWhoCalledIt() {
    String text = fromHelper().toString();
    assertTrue(text.startsWith(AllocationSiteTest.class.getName() + ".fromHelper("), text);
    assertTrue(text.contains("< " + AllocationSiteTest.class.getName() + ".theCaller"), text);
  }

  @Test
  void oneLineOfTheProgramIsOneSite() {
    AllocationSite[] sites = new AllocationSite[2];
    for (int i = 0; i < sites.length; i++) {
      sites[i] = fromHelper();
    }
    assertSame(sites[0], sites[1]);
    assertEquals(sites[0].hashCode(), sites[1].hashCode());
  }

  @Test
  void differentCallersAreDifferentSites() {
    AllocationSite one = fromHelper();
    AllocationSite other = fromHelper();
    assertNotSame(one, other);
    assertNotEquals(one, other);
  }

  @Test
  void framesAreBounded() {
    assertEquals(7, deep(500).toString().split(" < ", -1).length - 1);
  }
}
