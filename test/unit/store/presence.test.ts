import { presenceContract } from "../../support/store-contract/presence.ts";

presenceContract();
