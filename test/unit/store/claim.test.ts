import { claimContract } from "../../support/store-contract/claim.ts";

claimContract();
